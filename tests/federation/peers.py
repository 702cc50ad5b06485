"""The servers of the federation test: configs, certificates and processes."""

import glob
import os
import signal
import socket
import subprocess
import time

DNS = 17353
# Name, client port, server port, user.
SERVERS = {
    "spondee": ("spondee.example", 17122, 17169, "carol"),
    "prosody": ("prosody.example", 17222, 17269, "alice"),
    "ejabberd": ("ejabberd.example", 17322, 17369, "bob"),
}
PASSWORD = "crossing"


def write(path, text):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w") as file:
        file.write(text)


def openssl(work, *arguments):
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    subprocess.run(["openssl", *arguments], cwd=work + "/tls", check=True, **quiet)


def certificates(work):
    """Creates an authority that signs for every server, and one that signs for none."""
    os.makedirs(work + "/tls")
    for name in ("ca", "nobody"):
        openssl(work, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
                "-nodes", "-days", "2", "-keyout", name + ".key", "-out", name + ".pem",
                "-subj", "/CN=" + name, "-addext", "keyUsage=critical,keyCertSign,cRLSign")
    for domain, *_ in SERVERS.values():
        write(f"{work}/tls/{domain}.ext",
              f"subjectAltName=DNS:{domain}\nbasicConstraints=CA:FALSE\n"
              "extendedKeyUsage=serverAuth,clientAuth\n")
        openssl(work, "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                "-keyout", domain + ".key", "-out", domain + ".csr", "-subj", "/CN=" + domain)
        openssl(work, "x509", "-req", "-in", domain + ".csr", "-CA", "ca.pem", "-CAkey", "ca.key",
                "-CAcreateserial", "-days", "2", "-extfile", domain + ".ext",
                "-out", domain + ".crt")
        both = "".join(open(f"{work}/tls/{domain}.{part}").read() for part in ("crt", "key"))
        write(f"{work}/tls/{domain}.pem", both)


def spondee_config(work, domain, c2s, s2s, external):
    return f"""
data = "spondee-data"
[[listen]]
kind = "c2s"
address = "127.0.0.1:{c2s}"
[[listen]]
kind = "s2s"
address = "127.0.0.1:{s2s}"
[tls]
certificate = "tls/{domain}.crt"
key = "tls/{domain}.key"
[host."{domain}"]
[s2s]
authorities = "tls/{'ca' if external else 'nobody'}.pem"
dialback = {'false' if external else 'true'}
dns = "127.0.0.1:{DNS}"
private = true
"""


def prosody_config(work, domain, c2s, s2s, external):
    return f"""
run_as_root = true
pidfile = "{work}/prosody.pid"
data_path = "{work}/prosody-data"
log = {{ info = "{work}/prosody.log" }}
interfaces = {{ "127.0.0.1" }}
c2s_ports = {{ {c2s} }}
s2s_ports = {{ {s2s} }}
c2s_direct_tls_ports = {{}}
http_ports = {{}}
https_ports = {{}}
modules_enabled = {{ "roster", "saslauth", "tls", "dialback", "disco", "ping", "register", "offline" }}
allow_registration = true
authentication = "internal_hashed"
s2s_require_encryption = true
s2s_secure_auth = {'true' if external else 'false'}
ssl = {{ cafile = "{work}/tls/{'ca' if external else 'nobody'}.pem"; capath = "{work}/nothing" }}
certificates = "{work}/tls"
unbound = {{ resolvconf = false; hoststxt = false; forward = {{ "127.0.0.1@{DNS}" }};
  options = {{ ["do-not-query-localhost:"] = "no"; ["module-config:"] = "iterator" }} }}
VirtualHost "{domain}"
"""


def ejabberd_config(work, domain, c2s, s2s, external):
    dialback = "" if external else "  mod_s2s_dialback: {}\n"
    authority = f"{work}/tls/{'ca' if external else 'nobody'}.pem"
    return f"""
hosts: ["{domain}"]
loglevel: info
certfiles: ["{work}/tls/{domain}.pem"]
ca_file: "{authority}"
s2s_cafile: "{authority}"
s2s_use_starttls: required
s2s_access: all
outgoing_s2s_families: [ipv4]
auth_method: internal
listen:
  - {{port: {c2s}, ip: "127.0.0.1", module: ejabberd_c2s, starttls: true, access: all}}
  - {{port: {s2s}, ip: "127.0.0.1", module: ejabberd_s2s_in}}
access_rules:
  register: {{allow: all}}
registration_timeout: infinity
modules:
  mod_roster: {{}}
  mod_disco: {{}}
  mod_ping: {{}}
  mod_offline: {{}}
  mod_register: {{ip_access: all, access: register}}
{dialback}"""


class Processes:
    """Starts processes, each in its own group, and stops all of them at the end of the block."""

    def __init__(self, work, binary, external):
        self.work, self.binary, self.running = work, binary, {}
        certificates(work)
        configs = {"spondee": spondee_config, "prosody": prosody_config,
                   "ejabberd": ejabberd_config}
        files = {"spondee": "spondee.toml", "prosody": "prosody.lua", "ejabberd": "ejabberd.yml"}
        for name, (domain, c2s, s2s, _) in SERVERS.items():
            text = configs[name](work, domain, c2s, s2s, external)
            write(f"{work}/{files[name]}", text)
        os.makedirs(work + "/nothing")
        os.makedirs(work + "/prosody-data")
        os.makedirs(work + "/ejabberd-data")
        # ejabberd reads addresses from this file first, and asks the test's DNS server for SRV records.
        write(work + "/inetrc", "".join([
            '{resolv_conf,""}.\n{hosts_file,""}.\n{lookup,["file","dns"]}.\n{cache_size,0}.\n',
            "{nameserver,{127,0,0,1},%d}.\n" % DNS,
            '{host,{127,0,0,1},["localhost"]}.\n']))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for name in reversed(list(self.running)):
            self.stop(name)

    def start(self, name):
        log = open(f"{self.work}/{name}.log", "a")
        environment = dict(os.environ)
        if name == "ejabberd":
            beam = (glob.glob("/usr/lib/*/ejabberd-*/ebin/ejabberd.beam")
                    + glob.glob("/usr/lib/ejabberd*/ebin/ejabberd.beam"))[0]
            environment.update(EJABBERD_CONFIG_PATH=self.work + "/ejabberd.yml",
                               EJABBERD_LOG_PATH=self.work + "/ejabberd-own.log", HOME=self.work,
                               ERL_LIBS=os.path.dirname(os.path.dirname(os.path.dirname(beam))))
        command = getattr(self, "command_" + name)()
        self.running[name] = subprocess.Popen(
            command, cwd=self.work, env=environment, stdin=subprocess.DEVNULL, stdout=log,
            stderr=log, start_new_session=True)
        if name in SERVERS:
            for port in SERVERS[name][1:3]:
                self.wait_port(name, port)

    def command_dns(self):
        # The target is a name that every resolver can resolve.
        command = ["dnsmasq", "-k", "-p", str(DNS), "--listen-address=127.0.0.1",
                   "--bind-interfaces", "--no-resolv", "--no-hosts", "--conf-file=/dev/null",
                   "--pid-file=" + self.work + "/dns.pid", "--local=/example/",
                   "--address=/localhost/127.0.0.1"]
        if os.getuid() == 0:
            command.append("--user=root")
        for domain, _, s2s, _ in SERVERS.values():
            command.append(f"--srv-host=_xmpp-server._tcp.{domain},localhost,{s2s}")
            command.append(f"--address=/{domain}/127.0.0.1")
        return command

    def command_spondee(self):
        return [self.binary, "--config", self.work + "/spondee.toml"]

    def command_prosody(self):
        return ["prosody", "--config", self.work + "/prosody.lua", "-F"]

    def command_ejabberd(self):
        return ["erl", "-noshell", "-noinput", "-mnesia", "dir", f'"{self.work}/ejabberd-data"',
                "-kernel", "inetrc", f'"{self.work}/inetrc"', "-s", "ejabberd"]

    def wait_port(self, name, port):
        end = time.monotonic() + 60
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                return
            except OSError:
                if self.running[name].poll() is not None or time.monotonic() > end:
                    raise SystemExit(f"{name} does not listen on port {port}")
                time.sleep(0.1)

    def stop(self, name):
        """Sends SIGTERM to the server and waits for its end."""
        process = self.running.pop(name)
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            raise SystemExit(f"{name} does not stop")
