"""Where an attempt starts: a network namespace, and the files that name things there."""

from __future__ import annotations

import shlex
from dataclasses import dataclass, replace

from testbed.host.protocol import Host
from testbed.model import Observation, Scheme, Target
from testbed.names import Naming
from testbed.namespaces import NetworkNamespace
from testbed.probe import datagram
from testbed.probe.attempt import Ask, How, LookAtEnds, Seen, attempt
from testbed.probe.trust import Trust

#: Portainer's budget for its ping (api/agent/version.go).
DEFAULT_SECONDS = 3.0


@dataclass(frozen=True, slots=True)
class Vantage:
    """A place to try from.

    :param name: what people call it, such as ``portainer``
    :param by_hand: the command in front of which a shell would have to stand to be there, such as
        ``testbed exec portainer --``
    """

    name: str
    net: NetworkNamespace
    naming: Naming
    by_hand: str = ""

    @classmethod
    def on(cls, host: Host, by_hand: str = "") -> Vantage:
        """A host's own terminal.

        The resolver of a local host is not asked: it is out in the world, where no test sends anything.
        """
        from testbed.host.private import PrivateHost  # noqa: PLC0415 - who tries from elsewhere need not wait for it

        naming = Naming.read(host.path("/etc/hosts"), host.path("/etc/resolv.conf"))
        if not isinstance(host, PrivateHost):
            naming = Naming(replace(naming.names, nameservers=()))
        return cls(host.name, host.net, naming, by_hand)

    def connect(
        self,
        target: str | Target,
        *,
        seconds: float = DEFAULT_SECONDS,
        ask: Ask | None = None,
        trust: Trust | None = None,
        look: LookAtEnds | None = None,
    ) -> Observation:
        """Try once to reach a target, and say what was seen. What the network does is never raised.

        :param target: a URL (https, http, tcp, udp) or host:port
        :param ask: by HTTP: what to ask for, where that is more than a GET; by UDP: its body is the datagram
        :param trust: by HTTPS: what certificates are verified by; None takes any, as Portainer's ping does
        :param look: where nothing comes in time: looks at the two ends while the connection is there
        :raises UsageError: the target is none of these
        """
        goal = Target.parse(target) if isinstance(target, str) else target
        seen = attempt(self.net, self.naming, goal, seconds=seconds, how=How(ask, trust, look))
        return self._observed(seen, goal, seconds, ask or Ask(), verifies=trust is not None)

    def _observed(self, seen: Seen, goal: Target, seconds: float, ask: Ask, *, verifies: bool) -> Observation:
        behind = seen.unverified
        return Observation(
            vantage=self.name,
            target=str(goal),
            outcome=seen.outcome,
            phase=seen.phase,
            errno=seen.errno,
            text=seen.text,
            seconds=seen.seconds,
            command=self._command(goal, seconds, ask, verifies=verifies),
            answer=seen.answer,
            peer=seen.peer,
            handshake=seen.handshake,
            sockets=seen.sockets,
            unverified=None if behind is None else self._observed(behind, goal, seconds, ask, verifies=False),
        )

    def _command(self, goal: Target, seconds: float, ask: Ask, *, verifies: bool) -> str:
        """curl for each scheme over TCP; ``telnet://`` is its way of connecting and saying nothing."""
        if goal.scheme is Scheme.UDP:
            return f"{self.by_hand} {shlex.join(datagram.command(goal, ask.body, seconds))}".lstrip()
        url = f"telnet://{goal.authority}" if goal.scheme is Scheme.TCP else str(goal)
        words = ["-v" if verifies else "-kv", "-m", f"{seconds:g}"]
        words += ["-X", ask.method] if ask.method != "GET" else []
        words += [word for name, value in ask.headers for word in ("-H", f"{name}: {value}")]
        words += ["--data-binary", ask.body.decode(errors="replace")] if ask.body else []
        return f"{self.by_hand} {shlex.join(['curl', *words, url])}".lstrip()
