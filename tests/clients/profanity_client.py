"""Tests profanity, controlled through tmux, as the nurse; slixmpp is romeo.

The environment is that of slixmpp_clients.py; the argument is a folder for profanity's data.
"""
import asyncio
import os
import sys
import time

from slixmpp_clients import TIMEOUT, Client, check, until


class Profanity:
    """A profanity in its own terminal."""

    def __init__(self, folder):
        self.socket = os.path.join(folder, "tmux")
        self.home = os.path.join(folder, "profanity")
        data = os.path.join(self.home, "data", "profanity")
        config = os.path.join(self.home, "config", "profanity")
        os.makedirs(data, exist_ok=True)
        os.makedirs(config, exist_ok=True)
        host, port = os.environ["STARTTLS"].rsplit(":", 1)
        with open(os.path.join(data, "accounts"), "w") as accounts:
            accounts.write(
                "[nurse]\nenabled=true\njid=nurse@localhost\nresource=hall\npassword=nurse\n"
                f"server={host}\nport={port}\ntls.policy=trust\npresence.last=online\n"
                "presence.login=online\n")
        with open(os.path.join(config, "profrc"), "w") as settings:
            settings.write("[ui]\nsplash=false\n[notifications]\nmessage=false\n")

    async def tmux(self, *arguments):
        environment = dict(os.environ, XDG_DATA_HOME=os.path.join(self.home, "data"),
                           XDG_CONFIG_HOME=os.path.join(self.home, "config"),
                           TERM="screen-256color", LC_ALL="C.UTF-8")
        process = await asyncio.create_subprocess_exec(
            "tmux", "-S", self.socket, *arguments, env=environment,
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT)
        output, _ = await process.communicate()
        return output.decode()

    async def start(self):
        await self.tmux("new-session", "-d", "-x", "160", "-y", "50", "profanity", "-a", "nurse")
        await self.shows("logged in successfully")

    async def type(self, text):
        await self.tmux("send-keys", "-l", text)
        await self.tmux("send-keys", "Enter")

    async def shows(self, text):
        end = time.monotonic() + TIMEOUT
        while text not in (screen := await self.tmux("capture-pane", "-p")):
            if time.monotonic() > end:
                print(screen)
                check(f"profanity shows {text!r}", False)
            await asyncio.sleep(0.05)
        print(f"ok: profanity shows {text!r}")

    async def quit(self):
        await self.type("/quit")
        end = time.monotonic() + TIMEOUT
        while time.monotonic() < end and "no server running" not in await self.tmux("ls"):
            await asyncio.sleep(0.05)

    async def kill(self):
        await self.tmux("kill-server")


async def run(folder):
    romeo = await Client("romeo", "orchard").login()
    await romeo.get_roster()
    nurse = Profanity(folder)
    try:
        await nurse.start()
        item = romeo.client_roster["nurse@localhost"]
        await nurse.type("/roster add romeo@localhost")
        await nurse.shows("romeo@localhost")
        await nurse.type("/sub request romeo@localhost")
        # romeo approves the subscription and requests one himself.
        await nurse.shows("authorization request")
        await nurse.type("/sub allow romeo@localhost")
        await until("they are contacts", lambda: item["subscription"] == "both", romeo)
        await until("romeo sees the nurse", lambda: "hall" in item.resources, romeo)
        await nurse.type("/msg romeo@localhost where is my lady")
        message = await romeo.message("where is my lady")
        message.reply("in her chamber").send()
        await nurse.shows("in her chamber")
        await nurse.quit()
        await until("romeo sees the nurse go", lambda: "hall" not in item.resources, romeo)
        romeo.send_message(mto="nurse@localhost", mbody="farewell, good nurse", mtype="chat")
        await romeo.plugin["xep_0199"].ping("localhost")
        await nurse.start()
        await nurse.type("/win 2")
        await nurse.shows("farewell, good nurse")
        await nurse.quit()
    finally:
        await nurse.kill()
    await romeo.bye()


if __name__ == "__main__":
    asyncio.run(asyncio.wait_for(run(sys.argv[1]), 6 * TIMEOUT))
