"""A scenario of `pressure.py`: XML that ends the stream of whoever reads it with expat."""

import sys
from pathlib import Path
from xml.etree import ElementTree

sys.path.append(str(Path(__file__).resolve().parent.parent / "federation"))
from client import Client, Lost

# Names and namespaces that a deployed parser refuses.
POISON = [
    "<\u0132 xmlns='urn:x'/>",
    "<x xmlns='urn:x'><\u2070/></x>",
    "<x xmlns='urn:x' \u017f='1'/>",
    "<\u0370:x xmlns:\u0370='urn:x'/>",
    "<x xmlns='urn:x' xmlns:\u0370='urn:y' \u0370:a='1'/>",
    "<x xmlns='urn:a b'/>",
    "<x xmlns='urn:{x}'/>",
    "<x xmlns='urn:\u00e9'/>",
    f"<{'x' * 60_000} xmlns='urn:x'/>",
]

# Where it stands: for a client that is online, for one that is not, or for whoever asks later.
PLACES = [
    "<message to='{online}'>{poison}</message>",
    "<iq to='{online}' type='get' id='1'>{poison}</iq>",
    "<presence to='{online}'>{poison}</presence>",
    "<presence>{poison}</presence>",
    "<message to='user2@localhost' type='chat'><body>hi</body>{poison}</message>",
    "<presence to='user2@localhost' type='subscribe'>{poison}</presence>",
    "<iq type='set' id='2'><vCard xmlns='vcard-temp'>{poison}</vCard></iq>",
    "<iq type='set' id='3'><query xmlns='jabber:iq:private'>{poison}</query></iq>",
]


def come(port, number):
    return Client(port, "localhost").login(f"user{number}", "pw")


def befriend(one, other):
    """Lets `other` see the presence of `one`, which is sent again at each login."""
    other.write(f"<presence to='{one.bare}' type='subscribe'/>")
    one.next(lambda element: element.get("type") == "subscribe")
    one.write(f"<presence to='{other.bare}' type='subscribed'/>")
    other.next(lambda element: element.get("type") == "subscribed")


def hears(client, friend, number):
    """Whether a message of the friend arrives."""
    friend.write(f"<message to='{client.jid}' id='n{number}'><body>still here?</body></message>")
    return client.next(lambda element: element.get("id") == f"n{number}") is not None


def poison(port):
    """Gets the port of a fresh server with at least four accounts, and returns its conditions."""
    online, friend, attacker = come(port, 1), come(port, 3), come(port, 0)
    befriend(attacker, online)
    kept, harmed, number = [], [], 0
    for place in PLACES:
        for poison in POISON:
            stanza = place.format(online=online.jid, poison=poison)
            number += 1
            attacker.write(stanza)
            try:
                # The stream ends before the answer.
                attacker.query("get", "<ping xmlns='urn:xmpp:ping'/>", "localhost")
                kept.append(stanza[:80])
            except Lost:
                attacker = come(port, 0)
            except ElementTree.ParseError:
                attacker = come(port, 0)
            try:
                hears(online, friend, number)
            except (Lost, ElementTree.ParseError) as error:
                harmed.append(f"{stanza[:80]}: {error}")
                online = come(port, 1)
    logins = 0
    try:
        for account in (0, 1, 2, 2):
            client = come(port, account)
            number += 1
            logins += hears(client, friend, number)
            client.close()
        others = f"{logins} logins afterwards"
    except (Lost, ElementTree.ParseError) as error:
        others = f"a login afterwards: {error}"
    return [
        (f"{number} times poison; the sender's stream ended each time, except {kept[:3]}"
         if kept else f"{len(PLACES) * len(POISON)} times poison, each ended the sender's stream", not kept),
        (f"streams of others ended: {harmed[:3]}" if harmed else "no other stream ended", not harmed),
        (others, logins == 4),
    ]
