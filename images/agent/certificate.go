package main

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"math/big"
	"net"
	"time"
)

// newCertificate makes the certificate an agent makes at each start: RSA-2048,
// self-signed, one year from now, for "localhost" and its own address, without
// a subject (portainer/agent crypto/tls.go, 2.23.0). A client which verifies
// therefore fails through a tunnel, where the agent is met under another
// address. ip may be nil, as without a network there is none.
//
// The real agent writes key and certificate to disk; here they stay in memory,
// for the image has a root filesystem nobody may write to.
func newCertificate(ip net.IP, now time.Time) (tls.Certificate, error) {
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 128))
	if err != nil {
		return tls.Certificate{}, err
	}
	template := &x509.Certificate{
		SerialNumber:          serial,
		NotBefore:             now,
		NotAfter:              now.AddDate(1, 0, 0),
		KeyUsage:              x509.KeyUsageKeyEncipherment | x509.KeyUsageDigitalSignature,
		ExtKeyUsage:           []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		BasicConstraintsValid: true,
		DNSNames:              []string{"localhost"},
	}
	if ip != nil {
		template.IPAddresses = []net.IP{ip}
	}
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return tls.Certificate{}, err
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return tls.Certificate{}, err
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, nil
}

// ownIP returns the first address of this machine, or container, which others
// could know it by; nil if there is none.
func ownIP() net.IP {
	addrs, err := net.InterfaceAddrs()
	if err != nil {
		return nil
	}
	return firstGlobalIP(addrs)
}

// firstGlobalIP skips loopback, which every machine has, and link-local
// addresses, which need a zone to be of use.
func firstGlobalIP(addrs []net.Addr) net.IP {
	for _, addr := range addrs {
		if network, ok := addr.(*net.IPNet); ok && network.IP.IsGlobalUnicast() {
			return network.IP
		}
	}
	return nil
}
