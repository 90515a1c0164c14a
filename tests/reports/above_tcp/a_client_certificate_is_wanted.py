"""A server that lets in only clients with a certificate."""

from __future__ import annotations

from typing import Final

from testbed.model import Outcome
from tests.reports.report import Attempt, Cured, Report
from tests.reports.steps import Run, Serve, Start
from truth.faults.stage import GATEWAY, HOST

#: A signer, and a certificate for the server and one for the client by it.
CERTIFICATES: Final = Run(
    "cd /run/testbed && openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=signer -keyout signer.key "
    "-out signer.pem 2>/dev/null && for name in server client; do openssl req -newkey rsa:2048 -nodes "
    "-subj /CN=$name -keyout $name.key -out $name.csr 2>/dev/null; "
    f"echo 'subjectAltName=IP:{GATEWAY}' | openssl x509 -req -in $name.csr -CA signer.pem -CAkey signer.key "
    "-CAcreateserial -days 2 -extfile /dev/stdin -out $name.pem 2>/dev/null; done"
)

REPORT: Final = Report(
    reference="",
    title="a server that wants a client certificate: told that its own certificate is not trusted, and 'curl -k'",
    truth="The server ends the handshake with the alert certificate_required (RFC 8446, 6.2): the client gave none.",
    steps=[
        Start("client"),
        CERTIFICATES,
        Serve(
            HOST,
            8443,
            "openssl s_server -quiet -www -accept 8443 -cert /run/testbed/server.pem -key /run/testbed/server.key "
            "-CAfile /run/testbed/signer.pem -Verify 1 -verify_return_error",
        ),
    ],
    attempt=Attempt("client", f"https://{GATEWAY}:8443/"),
    seen=Outcome.TLS_FAILED,
    causes=("client-certificate-wanted",),
    says=("a certificate of the client", "certificate_required"),
    never=("curl -k https", "not trusted"),
    cures=(
        Cured(
            says=("--cert",),
            by=(
                Run(
                    f"curl -sSf -m 3 -o /dev/null --cacert /run/testbed/signer.pem --cert /run/testbed/client.pem "
                    f"--key /run/testbed/client.key https://{GATEWAY}:8443/",
                    on="client",
                ),
            ),
            again=Attempt("client", f"tcp://{GATEWAY}:8443"),
        ),
    ),
)
