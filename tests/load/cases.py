"""The cases that are measured, and their targets."""

from dataclasses import dataclass, field

PAIRS = 100
IDLE_SESSIONS = 10_000
CONTACTS = 1000
# The suffix of the names of the second Spondee's rows and servers.
ALSO = ", also"


@dataclass(frozen=True)
class Metric:
    """A figure of the rig."""

    key: str
    title: str
    unit: str
    scale: float = 1

    def value(self, result):
        value = result.get(self.key)
        return None if value is None else value * self.scale

    def show(self, result):
        value = self.value(result)
        return "–" if value is None else f"{short(value)} {self.unit}"


def short(number):
    """Formats a number with three digits, never with an exponent."""
    if number >= 100:
        return f"{number:,.0f}"
    return f"{number:.3g}"


CPU = Metric("server_us_per_op", "CPU", "µs")
P50 = Metric("p50_us", "Half within", "µs")
RATE = Metric("ops_per_s", "Rate", "/s")
MEMORY = Metric("bytes_per_session_idle", "Memory", "KiB", 1 / 1024)
OPENING = Metric("open_us_per_session", "CPU to open", "µs")
CONNECT = Metric("connect_ms", "Accepts after", "ms")
FEATURES = Metric("features_ms", "Answers after", "ms")


@dataclass(frozen=True)
class Row:
    """One server with one kind of load."""

    name: str
    server: str
    args: str
    beside: int = 0


@dataclass(frozen=True)
class Target:
    """A row's figure is at most `factor` times the best figure of the rows `than`, or at most `limit`.

    With `at_least`, the figure is at least that.
    """

    text: str
    row: str = "Spondee"
    factor: float = 1
    than: tuple = ()
    limit: float = 0
    metric: Metric = None
    at_least: bool = False


@dataclass(frozen=True)
class Case:
    name: str
    title: str
    rows: list
    metrics: list  # the first is the main figure
    targets: list = field(default_factory=list)
    how: str = "running"
    accounts: int = 2 * PAIRS


PROSODY = ("Prosody", "Prosody, generational")
OTHERS = (*PROSODY, "ejabberd")


LOGIN = "login --clients 1000 --conc 16 --tls starttls"


def servers(args):
    return [Row(name, name, args) for name in ("Spondee", *OTHERS)]


def better(part):
    return Target(f"1/{part} of the better server's CPU", factor=1 / part, than=OTHERS)


GROUPS = {
    "messages": ("Messages", [
        Case(
            "chat",
            f"{PAIRS} pairs, 10 messages of each in flight, bodies of 100 bytes, to full JIDs, "
            "without TLS; CPU per message",
            [*servers(f"chat --pairs {PAIRS}"),
             Row("relay", "relay", f"chat-raw --pairs {PAIRS}")],
            [CPU, RATE],
            [better(20), Target("3 × the relay's CPU", factor=3, than=("relay",))],
        ),
        Case(
            "bare-tls",
            "as `chat`, but to bare JIDs and over STARTTLS",
            servers(f"chat --pairs {PAIRS} --to bare --tls starttls"),
            [CPU, RATE],
            [better(20)],
        ),
        Case(
            "rich",
            "a mix of messages with receipts and markers, OMEMO, and pubsub events (0.5 to 2 KiB "
            "each) to full JIDs, without TLS",
            servers(f"chat --pairs {PAIRS} --mix rich"),
            [CPU, RATE],
            [better(15)],
        ),
    ]),
    "one": ("One message at a time", [
        Case(
            "one",
            "1 pair, 1 message in flight",
            [*servers("chat --pairs 1 --window 1"),
             Row("relay", "relay", "chat-raw --pairs 1 --window 1")],
            [P50, CPU],
            [Target("1.5 × the relay's time", factor=1.5, than=("relay",)),
             Target("1.3 × the relay's CPU", factor=1.3, than=("relay",), metric=CPU)],
        ),
    ]),
    "logins": ("Logins", [
        Case(
            "login",
            "16 at a time: STARTTLS, SCRAM-SHA-1, bind, and the logout; CPU per login",
            [*servers(LOGIN), Row("bare", "bare", LOGIN)],
            [CPU, RATE],
            [Target("1/8 of Prosody's CPU", factor=1 / 8, than=PROSODY),
             Target("1/4 of ejabberd's CPU", factor=1 / 4, than=("ejabberd",))],
            accounts=1000,
        ),
    ]),
    "memory": ("Memory", [
        Case(
            "memory",
            "2000 idle sessions without TLS, on a server just started; memory per session",
            servers("idle --clients 2000"),
            [MEMORY, OPENING],
            [Target("3 KiB", limit=3),
             Target("1/10 of the better server's memory", factor=1 / 10, than=OTHERS)],
            how="fresh",
            accounts=2000,
        ),
        Case(
            "memory-tls",
            "as `memory`, but with TLS",
            servers("idle --clients 2000 --tls starttls"),
            [MEMORY, OPENING],
            [Target("9 KiB", limit=9),
             Target("1/4 of the better server's memory", factor=1 / 4, than=OTHERS)],
            how="fresh",
            accounts=2000,
        ),
    ]),
    "scale": ("Scale", [
        Case(
            "pairs",
            "messages per second from 10 to 1000 pairs (Spondee alone)",
            [Row(f"{n} pairs", "Spondee", f"chat --pairs {n}") for n in (10, 100, 1000)],
            [RATE, CPU],
            [Target("85 % of the rate of 10 pairs", row="1000 pairs", factor=0.85,
                    than=("10 pairs",), at_least=True)],
            accounts=2000,
        ),
        Case(
            "threads",
            f"{PAIRS} pairs, one thread of the server compared with two (Spondee alone); CPU per message",
            [Row("1 thread", "Spondee, 1 thread", f"chat --pairs {PAIRS}"),
             Row("2 threads", "Spondee", f"chat --pairs {PAIRS}")],
            [CPU, RATE],
            [Target("1.15 × the CPU of one thread", row="2 threads", factor=1.15,
                    than=("1 thread",))],
        ),
        Case(
            "beside",
            f"{PAIRS} pairs alone, and beside {IDLE_SESSIONS:,} idle sessions (Spondee alone); "
            "CPU per message",
            [Row("alone", "Spondee", f"chat --pairs {PAIRS}"),
             Row("beside idle sessions", "Spondee", f"chat --pairs {PAIRS}", IDLE_SESSIONS)],
            [CPU, RATE],
            [Target("1.15 × the CPU of the pairs alone", row="beside idle sessions", factor=1.15,
                    than=("alone",))],
            how="beside",
            accounts=2 * PAIRS + IDLE_SESSIONS,
        ),
    ]),
    "requests": ("Requests and presence", [
        Case(
            "version",
            "100 clients ask the server for its version; CPU per answer",
            servers("iq --type version"),
            [CPU, RATE],
            [Target("1/15 of ejabberd's CPU", factor=1 / 15, than=("ejabberd",))],
        ),
        Case(
            "presence",
            f"a user with {CONTACTS:,} contacts online changes their status; CPU per delivery",
            servers(f"presence --clients {CONTACTS} --first 2000"),
            [CPU, RATE],
            [better(20)],
            # This case changes rosters, so its accounts are used by no other case.
            accounts=2000 + 1 + CONTACTS,
        ),
    ]),
    "start": ("Start", [
        Case(
            "start",
            "from the start of the process until it accepts connections: Spondee with 100 hosts "
            "and all modules, Prosody with one host",
            [Row(name, name, "wait") for name in ("Spondee, 100 hosts", *PROSODY)],
            [CONNECT, FEATURES],
            [Target("100 ms", row="Spondee, 100 hosts", limit=100),
             Target("Prosody's time", row="Spondee, 100 hosts", than=PROSODY)],
            how="start",
            accounts=1,
        ),
    ]),
}

CASES = [case for _, cases in GROUPS.values() for case in cases]

LEFT_OUT = [
    "The cold start of ejabberd: the target is Prosody's time, and an Erlang system takes seconds.",
]
