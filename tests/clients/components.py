"""Tests external components with a running server: one made with slixmpp, and biboumi.

The environment is that of slixmpp_clients.py, with the address for components in COMPONENT. The
first argument selects the test: `echo` runs a component of this file, `biboumi` queries the running
gateway.
"""
import asyncio
import os
import sys

from slixmpp import ComponentXMPP
from slixmpp.exceptions import IqError
from slixmpp.xmlstream import ET

from slixmpp_clients import TIMEOUT, Client, check

ECHO = "echo.localhost"


class Echo(ComponentXMPP):
    """Echoes messages, and greets clients that come online."""

    def __init__(self, secret="echo it"):
        host, port = os.environ["COMPONENT"].rsplit(":", 1)
        super().__init__(ECHO, secret, host, int(port))
        self.ended = asyncio.Queue()
        self.online = asyncio.Event()
        self.register_plugin("xep_0030")
        self.register_plugin("xep_0092", {"software_name": "Echo", "version": "1"})
        self.register_plugin("xep_0199")
        self.plugin["xep_0030"].add_identity("component", "generic", name="Echo")
        self.add_event_handler("session_start", lambda _: self.online.set())
        self.add_event_handler("message", self.send_back)
        self.add_event_handler("presence_available", self.greet)
        self.add_event_handler("stream_error", lambda error: self.ended.put_nowait(error["condition"]))
        # The tests decide when to reconnect.
        self.auto_reconnect = False

    def send_back(self, message):
        if message["type"] != "error":
            message.reply(message["body"]).send()

    def greet(self, presence):
        self.send_presence(pto=presence["from"], pfrom=presence["to"], pstatus="here")

    async def start(self):
        self.connect()
        await asyncio.wait_for(self.online.wait(), TIMEOUT)
        return self


class Person(Client):
    """A client that also collects errors and presences."""

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.presences = asyncio.Queue()
        self.errors = asyncio.Queue()
        self.add_event_handler("presence_available", self.presences.put_nowait)
        self.add_event_handler("presence_error", self.presences.put_nowait)
        self.add_event_handler("message_error", self.errors.put_nowait)

    async def presence(self, sender):
        """Waits for a presence from an address."""
        while True:
            presence = await asyncio.wait_for(self.presences.get(), TIMEOUT)
            if presence["from"].bare == sender:
                return presence

    async def refusal(self):
        error = await asyncio.wait_for(self.errors.get(), TIMEOUT)
        return error["error"]["condition"]


async def echo():
    wrong = Echo("another secret")
    wrong.connect()
    condition = await asyncio.wait_for(wrong.ended.get(), TIMEOUT)
    check("a wrong secret is refused", condition == "not-authorized" and not wrong.online.is_set())

    component = await Echo().start()
    check("a component logs in", True)
    second = Echo()
    second.connect()
    check("a second is refused", await asyncio.wait_for(second.ended.get(), TIMEOUT) == "conflict")

    romeo = await Person("romeo", "orchard").login()
    romeo.send_message(mto=f"anybody@{ECHO}", mbody="Ünïcödé & <markup>", mtype="chat")
    message = await romeo.message("Ünïcödé & <markup>")
    check("a message comes back", message["from"].bare == f"anybody@{ECHO}")
    romeo.send_presence(pto=f"room@{ECHO}/nick")
    presence = await romeo.presence(f"room@{ECHO}")
    check("presence comes back", presence["status"] == "here")
    version = await romeo.plugin["xep_0092"].get_version(ECHO)
    check("the component answers", version["software_version"]["name"] == "Echo")
    info = await romeo.plugin["xep_0030"].get_info(jid=ECHO)
    names = [name for _, _, _, name in info["disco_info"]["identities"]]
    check("the component is discovered", "Echo" in names)
    version = await component.plugin["xep_0092"].get_version("localhost", ifrom=ECHO)
    check("the server answers the component", version["software_version"]["name"] == "Spondee")
    check("a client answers the component", await component.plugin["xep_0199"].ping(romeo.boundjid, ifrom=ECHO) >= 0)

    await component.disconnect()
    while True:
        romeo.send_message(mto=f"anybody@{ECHO}", mbody="gone?", mtype="chat")
        if await romeo.refusal() == "remote-server-timeout":
            break
    check("senders get an error when the component is gone", True)
    await Echo().start()
    romeo.send_message(mto=f"anybody@{ECHO}", mbody="back", mtype="chat")
    check("the component reconnects", (await romeo.message("back"))["from"].domain == ECHO)
    await romeo.bye()


async def biboumi():
    gateway = "irc.localhost"
    romeo = await Person("romeo", "orchard").login()
    for _ in range(TIMEOUT):
        try:
            info = await romeo.plugin["xep_0030"].get_info(jid=gateway)
            break
        except IqError as error:
            check("an absent gateway is reported", error.condition == "remote-server-timeout")
            await asyncio.sleep(1)
    else:
        check("biboumi logs in", False)
    identities = {(kind, name) for _, kind, _, name in info["disco_info"]["identities"]}
    check(f"biboumi reports its identities: {identities}", ("irc", "Biboumi XMPP-IRC gateway") in identities)
    version = await romeo.plugin["xep_0092"].get_version(gateway)
    check("biboumi reports its version", "biboumi" in version["software_version"]["name"])
    check("biboumi answers pings", await romeo.plugin["xep_0199"].ping(gateway) >= 0)
    items = await romeo.plugin["xep_0030"].get_items(jid=gateway, node="http://jabber.org/protocol/commands")
    check("biboumi offers commands", len(items["disco_items"]["items"]) > 0)
    # There is no IRC server on this machine: joining a room fails with an error.
    room = f"#verona%127.0.0.1@{gateway}"
    join = romeo.make_presence(pto=f"{room}/romeo")
    join.append(ET.Element("{http://jabber.org/protocol/muc}x"))
    join.send()
    message = await asyncio.wait_for(romeo.messages.get(), TIMEOUT)
    check(f"biboumi tries IRC: {message['body']}", message["from"].domain == gateway)
    await romeo.bye()


if __name__ == "__main__":
    what = {"echo": echo, "biboumi": biboumi}[sys.argv[1]]
    asyncio.run(asyncio.wait_for(what(), 6 * TIMEOUT))
