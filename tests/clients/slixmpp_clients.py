"""Tests a running server with slixmpp. The first argument selects the test.

STARTTLS and TLS hold the server's addresses, SSL_CERT_FILE its certificate. The accounts are romeo,
juliet and nurse; the password of each is its name.
"""
import asyncio
import os
import sys

import slixmpp
from slixmpp.plugins import xep_0082
from slixmpp.xmlstream import ET

TIMEOUT = 30


class Client(slixmpp.ClientXMPP):
    """A client that collects messages and error messages."""

    def __init__(self, name, resource, tls=False, mechanism=None):
        super().__init__(f"{name}@localhost/{resource}", name, sasl_mech=mechanism)
        self.ca_certs = os.environ["SSL_CERT_FILE"]
        self.tls = tls
        self.messages = asyncio.Queue()
        self.online = asyncio.get_running_loop().create_future()
        for plugin in ("xep_0030", "xep_0092", "xep_0199", "xep_0202"):
            self.register_plugin(plugin)
        self.add_event_handler("session_start", self.started)
        self.add_event_handler("message", self.messages.put_nowait)
        self.refusals = asyncio.Queue()
        self.add_event_handler("message_error", self.refusals.put_nowait)
        self.add_event_handler("failed_all_auth", self.refused)

    def started(self, _):
        self.send_presence()
        self.online.set_result(None)

    def refused(self, _):
        self.online.set_exception(RuntimeError("authentication failed"))

    async def login(self):
        host, port = os.environ["TLS" if self.tls else "STARTTLS"].rsplit(":", 1)
        self.enable_direct_tls, self.enable_starttls = self.tls, not self.tls
        self.enable_plaintext = False
        self.connect(host, int(port))
        await asyncio.wait_for(self.online, TIMEOUT)
        return self

    async def message(self, body):
        """Waits for a message with this text."""
        while True:
            message = await asyncio.wait_for(self.messages.get(), TIMEOUT)
            if message["body"].strip() == body:
                return message

    async def bye(self):
        await self.disconnect()


def check(what, is_true):
    if not is_true:
        raise AssertionError(what)
    print("ok:", what)


async def talk():
    for mechanism in ("SCRAM-SHA-1", "SCRAM-SHA-256", "SCRAM-SHA-512", "PLAIN"):
        for tls in (False, True):
            client = await Client("nurse", "hall", tls, mechanism).login()
            check(f"login with {mechanism} over {'TLS' if tls else 'STARTTLS'}", True)
            await client.bye()
    wrong = Client("nurse", "hall")
    wrong.password = "wrong"
    try:
        await wrong.login()
        check("a wrong password is refused", False)
    except RuntimeError:
        check("a wrong password is refused", True)

    romeo = await Client("romeo", "orchard").login()
    juliet = await Client("juliet", "balcony", tls=True).login()
    romeo.send_message(mto="juliet@localhost", mbody="Ünïcödé & <markup>", mtype="chat")
    message = await juliet.message("Ünïcödé & <markup>")
    check("a message arrives", message["from"] == romeo.boundjid)
    message.reply("and back").send()
    check("the answer arrives", (await romeo.message("and back"))["from"] == juliet.boundjid)
    version = await romeo.plugin["xep_0092"].get_version("localhost")
    check("version", version["software_version"]["name"] == "Spondee")
    info = await romeo.plugin["xep_0030"].get_info(jid="localhost")
    check("disco", "urn:xmpp:ping" in info["disco_info"]["features"])
    check("ping", await romeo.plugin["xep_0199"].ping("localhost") >= 0)
    check("ping to the other client", await romeo.plugin["xep_0199"].ping(juliet.boundjid) >= 0)
    time = await romeo.plugin["xep_0202"].get_entity_time("localhost")
    # Read as text, because slixmpp 1.17 adds a second Z before it parses.
    utc = time.xml.find(".//{urn:xmpp:time}utc").text
    check("time", xep_0082.parse(utc) is not None)
    await romeo.bye()
    await juliet.bye()


async def until(what, is_true, client):
    """Waits for a condition, checked after every stanza."""
    seen = asyncio.Event()
    handler = lambda stanza: (seen.set(), stanza)[1]
    client.add_filter("in", handler)
    try:
        async with asyncio.timeout(TIMEOUT):
            while not is_true():
                await seen.wait()
                # slixmpp handles the stanza after the filter.
                await asyncio.sleep(0)
                seen.clear()
    except TimeoutError:
        pass
    client.del_filter("in", handler)
    check(what, is_true())


async def befriend(a, b):
    """Subscribes both to each other; slixmpp approves requests automatically."""
    a.send_presence_subscription(b.boundjid.bare)
    for one, other in ((a, b), (b, a)):
        item = one.client_roster[other.boundjid.bare]
        await until(f"{one.boundjid.user} and {other.boundjid.user} are contacts",
                    lambda: item["subscription"] == "both", one)
        await until(f"{one.boundjid.user} sees {other.boundjid.user} online",
                    lambda: other.boundjid.resource in item.resources, one)


async def contacts():
    romeo = await Client("romeo", "orchard").login()
    juliet = await Client("juliet", "balcony", tls=True).login()
    for client in (romeo, juliet):
        await client.get_roster()
    await befriend(romeo, juliet)
    item = romeo.client_roster["juliet@localhost"]
    juliet.send_presence(pshow="away", pstatus="sleeping")
    await until("romeo sees a new presence",
                lambda: item.resources.get("balcony", {}).get("status") == "sleeping", romeo)
    await juliet.bye()
    await until("romeo sees juliet go", lambda: "balcony" not in item.resources, romeo)
    for number in range(3):
        romeo.send_message(mto="juliet@localhost", mbody=f"kept {number}", mtype="chat")
    await romeo.plugin["xep_0199"].ping("localhost")
    juliet = await Client("juliet", "balcony").login()
    for number in range(3):
        message = await juliet.message(f"kept {number}")
        check(f"message {number} was kept", message.xml.find("{urn:xmpp:delay}delay") is not None)
    kept = (await juliet.get_roster())["roster"]["items"]
    check("the roster was kept", "romeo@localhost" in [str(jid) for jid in kept])
    juliet.del_roster_item("romeo@localhost")
    await until("a removed contact is no contact", lambda: item["subscription"] == "none", romeo)
    await romeo.bye()
    await juliet.bye()


async def features():
    """Data that clients store on the server, with slixmpp's plugins."""
    romeo, juliet = Client("romeo", "orchard"), Client("juliet", "balcony")
    for client in (romeo, juliet):
        for plugin in ("xep_0012", "xep_0049", "xep_0054", "xep_0077", "xep_0115", "xep_0191"):
            client.register_plugin(plugin)
        await client.login()
        await client.get_roster()
    await befriend(romeo, juliet)
    card = romeo.plugin["xep_0054"].make_vcard()
    card["FN"] = "Romeo Montague"
    await romeo.plugin["xep_0054"].publish_vcard(card)
    answer = await juliet.plugin["xep_0054"].get_vcard("romeo@localhost", cached=False)
    check("vCard", answer["vcard_temp"]["FN"] == "Romeo Montague")
    idle = await romeo.plugin["xep_0012"].get_last_activity("juliet@localhost")
    check("last activity", idle["last_activity"]["seconds"] == 0)
    await romeo.plugin["xep_0191"].block("juliet@localhost")
    blocked = await romeo.plugin["xep_0191"].get_blocked()
    items = blocked.xml.iter("{urn:xmpp:blocking}item")
    check("blocked", [item.get("jid") for item in items] == ["juliet@localhost"])
    juliet.send_message(mto="romeo@localhost", mbody="hear me", mtype="chat")
    refusal = await asyncio.wait_for(juliet.refusals.get(), TIMEOUT)
    check("a blocked contact's message is refused",
          refusal["error"]["condition"] == "service-unavailable")
    await romeo.plugin["xep_0191"].unblock("juliet@localhost")
    juliet.send_message(mto="romeo@localhost", mbody="hear me now", mtype="chat")
    await romeo.message("hear me now")
    note = ET.fromstring("<note xmlns='urn:example:note'>thrice</note>")
    iq = romeo.make_iq_set()
    query = ET.SubElement(iq.xml, "{jabber:iq:private}query")
    query.append(note)
    await iq.send()
    iq = romeo.make_iq_get()
    ET.SubElement(ET.SubElement(iq.xml, "{jabber:iq:private}query"), "{urn:example:note}note")
    answer = await iq.send()
    check("private XML", answer.xml.find(".//{urn:example:note}note").text == "thrice")
    info = await romeo.plugin["xep_0030"].get_info(jid="romeo@localhost")
    check("account disco", "account" in [identity[0] for identity in info["disco_info"]["identities"]])
    await juliet.plugin["xep_0077"].change_password("secret", jid="localhost")
    await juliet.bye()
    juliet = Client("juliet", "balcony")
    juliet.password = "secret"
    juliet.register_plugin("xep_0077")
    await juliet.login()
    check("a new password", True)
    await juliet.plugin["xep_0077"].change_password("juliet", jid="localhost")
    await romeo.bye()
    await juliet.bye()


async def go_sendxmpp(*arguments, text=None):
    process = await asyncio.create_subprocess_exec(
        "go-sendxmpp", "-u", "nurse@localhost", "-p", "nurse", *arguments,
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT)
    if text is not None:
        output, _ = await asyncio.wait_for(process.communicate(text.encode()), TIMEOUT)
        check(f"go-sendxmpp {' '.join(arguments)}: {output.decode().strip()}", process.returncode == 0)
    return process


async def beside_go_sendxmpp():
    juliet = await Client("juliet", "balcony").login()
    for arguments in (["-j", os.environ["STARTTLS"]], ["-t", "-j", os.environ["TLS"]]):
        await go_sendxmpp(*arguments, "juliet@localhost", text="from the nurse\n")
        message = await juliet.message("from the nurse")
        check("go-sendxmpp's message arrives", message["from"].bare == "nurse@localhost")
    listener = await go_sendxmpp("-l", "-j", os.environ["STARTTLS"])
    try:
        heard = asyncio.ensure_future(listener.stdout.readline())
        # The client does not report that it is online, so the message is repeated until it arrives.
        for _ in range(TIMEOUT):
            juliet.send_message(mto="nurse@localhost", mbody="anon, good nurse", mtype="chat")
            done, _ = await asyncio.wait([heard], timeout=1)
            if done:
                break
        check("go-sendxmpp receives a message", b"anon, good nurse" in heard.result())
    finally:
        listener.kill()
        await listener.wait()
    juliet.send_message(mto="nurse@localhost", mbody="while you slept", mtype="chat")
    await juliet.plugin["xep_0199"].ping("localhost")
    listener = await go_sendxmpp("-l", "-j", os.environ["STARTTLS"])
    try:
        line = await asyncio.wait_for(listener.stdout.readline(), TIMEOUT)
        check("go-sendxmpp receives a stored message", b"while you slept" in line)
    finally:
        listener.kill()
        await listener.wait()
    await juliet.bye()


async def guestbook():
    romeo = await Client("romeo", "orchard").login()
    check("greeted", (await romeo.message("Welcome!"))["from"] == "localhost")
    iq = romeo.make_iq_get(ito="localhost")
    iq.append(ET.Element("{urn:example:guestbook:0}query"))
    answer = await iq.send()
    guests = [guest.get("jid") for guest in answer.xml.iter("{urn:example:guestbook:0}guest")]
    check("listed", guests == ["romeo@localhost"])
    await romeo.bye()


async def sticky_note():
    romeo = await Client("romeo", "orchard").login()
    iq = romeo.make_iq_set()
    ET.SubElement(iq.xml, "{urn:example:sticky-note:0}note").text = "Meet Juliet"
    await iq.send()
    check("a new note is shown", (await romeo.message("Meet Juliet"))["from"] == "localhost")
    phone = await Client("romeo", "phone").login()
    await phone.message("Meet Juliet")
    check("the note is shown to a client that comes online", True)
    iq = phone.make_iq_get()
    ET.SubElement(iq.xml, "{urn:example:sticky-note:0}note")
    note = (await iq.send()).xml.find("{urn:example:sticky-note:0}note")
    check("the note is answered", note.text == "Meet Juliet")
    await romeo.bye()
    await phone.bye()


if __name__ == "__main__":
    scenarios = (talk, contacts, features, beside_go_sendxmpp, guestbook, sticky_note)
    what = {scenario.__name__: scenario for scenario in scenarios}[sys.argv[1]]
    asyncio.run(asyncio.wait_for(what(), 6 * TIMEOUT))
