"""Docker, kubectl and gRPC, where they speak with words of their own; most of their texts are Go's."""

from __future__ import annotations

from typing import Final

from testbed.explain.client_texts.phrase import REFUSED, UNREACHED, UNRESOLVED, Family, Phrase
from testbed.explain.client_texts.said import Client

FAMILIES: Final = (
    Family(
        Client.DOCKER,
        "moby, client/errors.go (ErrorConnectionFailed)",
        (
            Phrase(r"\bCannot connect to the Docker daemon at {url}\. Is the docker daemon running\?", UNREACHED),
            Phrase(r"\bCannot connect to the Docker daemon\. Is (?:the docker daemon|'docker -d') running", UNREACHED),
            Phrase(r"\bCannot connect to Podman[^\n]{0,80}unable to connect to Podman socket: {words}"),
        ),
        2375,
    ),
    Family(
        Client.KUBERNETES,
        "kubernetes, staging/src/k8s.io/kubectl/pkg/cmd/util/helpers.go (StandardErrorMessage)",
        (
            Phrase(r"\bThe connection to the server {host}:{port} was refused\b", REFUSED),
            Phrase(r"\bThe connection to the server {host} was refused\b", REFUSED),
            Phrase(r"\bUnable to connect to the server: {words}"),
        ),
        443,
    ),
    Family(
        Client.GRPC,
        "gRPC core, client_channel and tcp_client_posix.cc; grpc-go, resolver errors",
        (
            Phrase(r"\bipv[46]:(?:%5B)?{address}(?:%5D)?:{port}: (?:Failed to connect to remote host: )?{words}"),
            Phrase(r"\bDNS resolution failed for (?:service: )?{host}:{port}", UNRESOLVED),
            Phrase(r"\bName resolution failed for target (?:dns:)?/{0,3}{host}:{port}", UNRESOLVED),
            Phrase(r"\bname resolver error: produced zero addresses", UNRESOLVED),
            Phrase(r"\bfailed to connect to all addresses\b", UNREACHED),
            Phrase(r"\bNo connection established\b", UNREACHED),
        ),
    ),
)
