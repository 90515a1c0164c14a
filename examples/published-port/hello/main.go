// Hello answers every request, on the address that LISTEN names.
package main

import (
	"fmt"
	"log"
	"net/http"
	"os"
)

func main() {
	http.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Server", "hello")
		fmt.Fprintln(w, "hello", r.RemoteAddr)
	})
	log.Fatal(http.ListenAndServe(os.Getenv("LISTEN"), nil))
}
