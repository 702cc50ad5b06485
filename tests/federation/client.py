"""A minimal XMPP client: logs in, sends text and waits for stanzas, with only the standard library."""

import base64
import re
import socket
import ssl
import time
from xml.etree import ElementTree

STREAMS = "http://etherx.jabber.org/streams"


class Lost(Exception):
    """An expected stanza did not arrive."""


class Client:
    def __init__(self, port, domain):
        self.port, self.domain = port, domain
        self.seen = []
        self.open()

    def open(self):
        self.socket = socket.create_connection(("127.0.0.1", self.port), 20)
        self.header()
        self.write("<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>")
        self.next(lambda element: element.tag.endswith("}proceed"))
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        self.socket = context.wrap_socket(self.socket, server_hostname=self.domain)
        self.header()

    def header(self):
        self.parser = ElementTree.XMLPullParser(["start", "end"])
        self.depth, self.root, self.seen = 0, None, []
        self.write(f"<?xml version='1.0'?><stream:stream to='{self.domain}' version='1.0' "
                   f"xmlns='jabber:client' xmlns:stream='{STREAMS}'>")
        self.next(lambda element: element.tag.endswith("}features"))

    def login(self, user, password):
        plain = base64.b64encode(f"\0{user}\0{password}".encode()).decode()
        sasl = "urn:ietf:params:xml:ns:xmpp-sasl"
        self.write(f"<auth xmlns='{sasl}' mechanism='PLAIN'>{plain}</auth>")
        self.next(lambda element: element.tag == f"{{{sasl}}}success")
        self.header()
        bind = "urn:ietf:params:xml:ns:xmpp-bind"
        bound = self.query("set", f"<bind xmlns='{bind}'/>")
        self.jid = bound.find(f".//{{{bind}}}jid").text
        self.bare = self.jid.split("/")[0]
        self.query("get", "<query xmlns='jabber:iq:roster'/>")
        self.write("<presence/>")
        self.next(lambda element: element.tag.endswith("}presence"))
        return self

    def query(self, kind, payload, to=None):
        identifier = f"q{time.monotonic_ns()}"
        target = f" to='{to}'" if to else ""
        self.write(f"<iq type='{kind}' id='{identifier}'{target}>{payload}</iq>")
        answer = self.next(lambda element: element.get("id") == identifier)
        if answer.get("type") != "result":
            raise Lost(ElementTree.tostring(answer).decode())
        return answer

    def write(self, text):
        self.socket.sendall(text.encode())

    def pump(self, end):
        """Reads once, and appends complete elements to `seen`."""
        self.socket.settimeout(max(end - time.monotonic(), 0.01))
        try:
            data = self.socket.recv(65536)
        except (TimeoutError, socket.timeout):
            raise Lost("no stanza arrived in time") from None
        except OSError as error:
            raise Lost(str(error)) from None
        if not data:
            raise Lost("the connection ended")
        self.parser.feed(data)
        for event, element in self.parser.read_events():
            if event == "start":
                self.depth += 1
                continue
            self.depth -= 1
            if self.depth == 1:
                self.seen.append(element)

    def next(self, is_it, seconds=30):
        """Waits for the first matching element, which may have arrived already, and removes it."""
        end = time.monotonic() + seconds
        while True:
            for index, element in enumerate(self.seen):
                if is_it(element):
                    return self.seen.pop(index)
            self.pump(end)

    def collect(self, seconds):
        """Reads for some seconds, or until the stream ends."""
        end = time.monotonic() + seconds
        try:
            while time.monotonic() < end:
                self.pump(end)
        except Lost:
            pass

    def close(self):
        try:
            self.write("</stream:stream>")
            self.socket.close()
        except OSError:
            pass


def register(port, domain, user, password):
    client = Client(port, domain)
    client.query("set", "<query xmlns='jabber:iq:register'>"
                 f"<username>{user}</username><password>{password}</password></query>")
    client.close()


def body(element):
    found = element.find("{jabber:client}body")
    return "" if found is None else found.text or ""


def name(element):
    return re.sub(r"\{.*\}", "", element.tag)
