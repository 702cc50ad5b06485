"""Usage: federation.py BINARY FOLDER external|dialback

Lets the server, Prosody and ejabberd federate: sends messages, an iq and a subscription in both
directions. Then stops each server with SIGTERM and starts it again while messages are in transit.
Every message must arrive once, or its sender must get an error.
"""

import subprocess
import sys
import time

from client import Client, Lost, body, name, register
from peers import PASSWORD, SERVERS, Processes

OTHERS = ("prosody", "ejabberd")
# The number of messages in each direction while one side stops and starts.
BURST = 60


def login(server):
    domain, port, _, user = SERVERS[server]
    return Client(port, domain).login(user, PASSWORD)


def cross(sender, receiver, label):
    """Sends messages, an iq and a subscription from one client to the other."""
    for number in range(3):
        sender.write(f"<message to='{receiver.jid}' type='chat' id='{label}{number}'>"
                     f"<body>{label}{number}</body></message>")
    for number in range(3):
        receiver.next(lambda element: body(element) == f"{label}{number}")
    sender.query("get", "<ping xmlns='urn:xmpp:ping'/>", receiver.domain)
    sender.write(f"<presence to='{receiver.bare}' type='subscribe'/>")
    is_from = lambda element, jid: (element.get("from") or "").startswith(jid)
    receiver.next(lambda element: element.get("type") == "subscribe"
                  and is_from(element, sender.bare))
    receiver.write(f"<presence to='{sender.bare}' type='subscribed'/>")
    sender.next(lambda element: element.get("type") == "subscribed"
                and is_from(element, receiver.bare))
    sender.next(lambda element: name(element) == "presence" and element.get("type") is None
                and is_from(element, receiver.bare))
    print(f"ok   {label}: messages, iq, subscription, presence", flush=True)


def settle(senders, receivers, ids):
    """Waits until every message has arrived or come back. Returns both numbers, and the lost and
    the duplicate messages."""
    end = time.monotonic() + 20
    while True:
        arrived = [body(element) for client in receivers for element in client.seen
                   if name(element) == "message" and element.get("type") != "error"]
        errors = {element.get("id") for client in senders for element in client.seen
                  if element.get("type") == "error"}
        missing = [one for one in ids if one not in arrived and one not in errors]
        if not missing or time.monotonic() > end:
            twice = [one for one in ids if arrived.count(one) > 1]
            return len([one for one in ids if one in arrived]), len(errors), missing, twice
        for client in senders + receivers:
            client.collect(0.2)


def bounce(processes, stopped, ours, theirs):
    """Stops one server while two exchange messages, and starts it again.

    The clients of the stopped server then log in again and receive their stored messages. The client
    of Prosody or ejabberd sends a negative priority before its server stops, because this test does
    not judge what these servers do with messages for a client while they stop.
    """
    clients = {server: login(server) for server in (ours, theirs)}
    if stopped == theirs:
        clients[stopped].write("<presence><priority>-1</priority></presence>")
        clients[stopped].next(lambda element: name(element) == "presence"
                              and element.find("{jabber:client}priority") is not None)
    stays = theirs if stopped == ours else ours
    before = {server: [clients[server]] for server in clients}
    ids = {server: [] for server in clients}

    def send(server, count):
        other = theirs if server == ours else ours
        for _ in range(count):
            one = f"{stopped}-{server}-{len(ids[server])}"
            ids[server].append(one)
            clients[server].write(f"<message to='{clients[other].bare}' type='chat' id='{one}'>"
                                  f"<body>{one}</body></message>")

    for server in clients:
        send(server, BURST)
    processes.stop(stopped)
    before[stopped][0].collect(0.5)
    send(stays, 5)
    processes.start(stopped)
    clients[stopped] = login(stopped)
    before[stopped].append(clients[stopped])
    for server in clients:
        send(server, BURST // 2)
    problems = []
    # A stopping server need not read what its client sends: RFC 6120 leaves this open. So the
    # messages of the stopped server's client are only checked for duplicates.
    for server, other in ((stays, stopped), (stopped, stays)):
        wanted = ids[server] if server == stays else ids[server][BURST:]
        arrived, errors, missing, twice = settle(before[server], before[other], wanted)
        if missing:
            # A message that is stored while the client logs in is delivered only at the next login.
            before[other].append(login(other))
            late = missing
            arrived, errors, missing, twice = settle(before[server], before[other], wanted)
            print(f"     stored until the next login: {sorted(set(late) - set(missing))}", flush=True)
        print(f"     {server} -> {other}: {len(wanted)} sent, {arrived} arrived, "
              f"{errors} came back, {len(missing)} lost, {len(twice)} twice", flush=True)
        problems += missing + twice
    for all_of_one in before.values():
        for client in all_of_one:
            client.close()
    if problems:
        raise Lost(f"{stopped} stopped, {ours} and {theirs}: {problems}")
    print(f"ok   {stopped} stopped and started, with {ours} and {theirs}", flush=True)


def main():
    binary, work, proof = sys.argv[1:]
    with Processes(work, binary, proof == "external") as processes:
        domain, _, _, user = SERVERS["spondee"]
        subprocess.run([binary, "--config", work + "/spondee.toml", "user", "add",
                        f"{user}@{domain}", "--password-stdin"],
                       input=PASSWORD.encode(), check=True, cwd=work)
        processes.start("dns")
        for server in SERVERS:
            processes.start(server)
        for server in OTHERS:
            domain, port, _, user = SERVERS[server]
            register(port, domain, user, PASSWORD)
        clients = {server: login(server) for server in SERVERS}
        for other in OTHERS:
            cross(clients["spondee"], clients[other], f"spondee-to-{other}")
            cross(clients[other], clients["spondee"], f"{other}-to-spondee")
        for client in clients.values():
            client.close()
        for other in OTHERS:
            for stopped in ("spondee", other):
                bounce(processes, stopped, "spondee", other)
    print(f"{proof}: all passed")


if __name__ == "__main__":
    try:
        main()
    except Lost as lost:
        sys.exit(f"FAILED: {lost}")
