"""Causes at the far end of an SSH tunnel, whose listener accepts and gets no further. Pure."""

from __future__ import annotations

from typing import Final

from testbed.evidence import Attempt, Evidence, Forwarder, HostFacts, Place
from testbed.explain.acceptor import rows as seen_rows
from testbed.explain.case import Case, at, holder
from testbed.explain.codes import Cause
from testbed.explain.explanation import Cure, Diagnosis, Row, Undecided
from testbed.model import Observation, Outcome, Scheme, Target
from testbed.predict import Disposition, Prediction, predict
from testbed.predict.ending import Accepted

_SSH: Final = frozenset({"ssh", "sshd", "autossh"})


def tunnel(case: Case, seen: Observation) -> Diagnosis | Undecided | None:
    """The listener is ssh's: it accepted, and could not get through at its far end."""
    listener, here = case.prediction.listener, case.end
    if seen.outcome not in (Outcome.RESET, Outcome.CLOSED):
        return None
    if listener is None or here is None or listener.process is None or listener.process.name not in _SSH:
        return None
    forward = case.forwarder_of(listener)
    where = at(forward.to_host, forward.to_port) if forward else "where it leads"
    takes = f"The tunnel takes the connection ({holder(listener)} of {here.label})"
    far, beyond = _at_far_end(case.evidence, forward) if forward else (None, None)
    if far is None or beyond is None:
        return Undecided(
            f"{takes} and drops it again: either nobody takes it at {where} on the far side, or the SSH server there "
            "forbids that forward. The far side is not in the picture.",
            "What ssh itself says with -v while it is tried: 'connect failed' is the first, 'administratively "
            "prohibited' the second.",
        )
    rows = (*seen_rows(case, seen), Row("predicted", far.name, beyond.why))
    if isinstance(beyond.ending, Accepted):
        return Diagnosis(
            Cause.TUNNEL_FORBIDDEN,
            f"{takes}, and {where} answers on {far.name} at its far end, but the SSH server there does not open it: "
            "its settings forbid that forward.",
            rows,
            (
                Cure(
                    f"Allow it on {far.name}, in sshd_config(5)",
                    f"AllowTcpForwarding local\nPermitOpen {where}",
                    f"{where} of {far.name}, to whoever may log in there",
                ),
            ),
            decide="The words of ssh itself, with -v while it is tried: 'administratively prohibited'.",
        )
    return Diagnosis(
        Cause.TUNNEL_FAR_END_DOWN,
        f"{takes} and drops it again: at its far end, on {far.name}, nobody takes it at {where}.",
        rows,
        (
            Cure(f"Start what is to listen on {where} of {far.name}", f"ss -ltnp 'sport = :{forward.to_port}'")
            if forward
            else Cure("Start what the tunnel leads to", ""),
        ),
        ("A tunnel's listener is no proof of anything behind it: a dead far end closes or resets, and never refuses.",),
        decide="The words of ssh itself, with -v while it is tried: 'open failed: connect failed'.",
    )


def _at_far_end(evidence: Evidence, forward: Forwarder) -> tuple[HostFacts | None, Prediction | None]:
    """The other host that has an SSH server, and what becomes there of a connection to where the tunnel leads.

    None where there is no such host, or several: which one ssh is connected to is not in the picture.
    """
    far = [host for host in evidence.hosts if host.namespace != forward.namespace and _has_sshd(evidence, host)]
    if len(far) != 1:
        return None, None
    beyond = predict(evidence, Attempt(Place(far[0]), Target(Scheme.TCP, forward.to_host, forward.to_port)))
    return far[0], None if beyond.disposition in (Disposition.UNKNOWN, Disposition.LEFT) else beyond


def _has_sshd(evidence: Evidence, host: HostFacts) -> bool:
    there = evidence.namespaces.get(host.namespace)
    return there is not None and any(entry.process and entry.process.name == "sshd" for entry in there.listeners)
