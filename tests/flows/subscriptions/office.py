"""A mail server on loopback that keeps what it is given."""

import asyncio
import email
import email.policy
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any


class Office:
    """An SMTP server that takes what comes, or refuses the recipient with `refusing`."""

    def __init__(self) -> None:
        self.got: list[Any] = []
        self.refusing = 0
        self.port = 0

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        async def say(text: str) -> None:
            writer.write(text.encode() + b"\r\n")
            await writer.drain()

        await say("220 here")
        while line := (await reader.readline()).decode().strip().upper():
            word = line.split(" ")[0].split(":")[0]
            if word == "RCPT" and self.refusing:
                await say(f"{self.refusing} no such mailbox")
            elif word == "DATA":
                await say("354 go on")
                body = await reader.readuntil(b"\r\n.\r\n")
                self.got.append(email.message_from_bytes(body[:-5], policy=email.policy.default))
                await say("250 taken")
            elif word == "QUIT":
                await say("221 bye")
                break
            else:
                await say("250 ok")
        writer.close()

    @property
    def url(self) -> str:
        """What CASEBRIDGE_SMTP_URL says."""
        return f"smtp://127.0.0.1:{self.port}"


@asynccontextmanager
async def open_office() -> AsyncIterator[Office]:
    office = Office()
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    office.port = listener.getsockname()[1]
    async with await asyncio.start_server(office.talk, sock=listener):
        yield office
