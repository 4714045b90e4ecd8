"""E-mail: the other channel of subscriptions, and the way of one-time links. Never content about clients.

RFC 5321/6409. TLS is insisted on for every server that is not listed in CASEBRIDGE_OUTBOUND_ALLOW by its address.
"""

import asyncio
import smtplib
import ssl
import time
from email.message import EmailMessage
from ipaddress import ip_address
from urllib.parse import unquote, urlsplit

from service.delivery.outcome import Answer, Fault
from service.settings import Settings

_SUBJECT = {
    "handshake": "A subscription of yours is about to begin",
    "heartbeat": "A subscription of yours is alive",
    "event-notification": "There is news for a subscription of yours",
}


class Post:
    """The way to our SMTP server; one a process."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    async def send(
        self, to: str, kind: str, subscription: str, form: str, body: bytes, seconds: float
    ) -> tuple[Answer | Fault, int]:
        """One mail to `mailto:…` about a subscription (its URL), with the notification as attachment where its form is
        FHIR. A server that takes it is an Answer 250; one that refuses, an Answer with its own reply code."""
        return await self._sent(
            self._message(to.removeprefix("mailto:"), kind, subscription, form, body), seconds
        )

    async def write(self, to: str, subject: str, text: str) -> Answer | Fault:
        """One mail of plain words to this address, as `send` answers."""
        return (await self._sent(self._plain(to, subject, text), self._settings.delivery_timeout_seconds))[0]

    async def _sent(self, message: EmailMessage, seconds: float) -> tuple[Answer | Fault, int]:
        began = time.perf_counter()
        try:
            result: Answer | Fault = await asyncio.to_thread(self._deliver, message, seconds)
        except smtplib.SMTPRecipientsRefused as refused:
            result = Answer(next(iter(refused.recipients.values()))[0])
        except smtplib.SMTPResponseException as refused:
            result = Answer(refused.smtp_code)
        except ssl.SSLError:
            result = "tls"
        except TimeoutError:
            result = "timeout"
        except (OSError, smtplib.SMTPException):
            result = "connection"
        return result, round((time.perf_counter() - began) * 1000)

    def _message(self, to: str, kind: str, subscription: str, form: str, body: bytes) -> EmailMessage:
        text = f"{_SUBJECT[kind]}.\n\nAsk for it with your own access token: {subscription}/$events\n"
        message = self._plain(to, _SUBJECT[kind], text)
        if form != "text/plain":
            main, _, sub = form.partition("/")
            message.add_attachment(
                body, maintype=main, subtype=sub, filename=f"notification.{sub.partition('+')[2]}"
            )
        return message

    def _plain(self, to: str, subject: str, text: str) -> EmailMessage:
        message = EmailMessage()
        message["From"], message["To"] = self._settings.smtp_from, to
        message["Subject"] = subject
        message["Auto-Submitted"] = "auto-generated"
        message.set_content(text)
        return message

    def _deliver(self, message: EmailMessage, seconds: float) -> Answer:
        given = self._settings.smtp_url
        parts = urlsplit(given.get_secret_value() if given else "smtp://localhost")
        host = parts.hostname or "localhost"
        context = ssl.create_default_context()
        if parts.scheme == "smtps":
            server: smtplib.SMTP = smtplib.SMTP_SSL(host, parts.port or 465, timeout=seconds, context=context)
        else:
            server = smtplib.SMTP(host, parts.port or 587, timeout=seconds)
        with server:
            if parts.scheme != "smtps" and not self._near(host):
                server.starttls(context=context)
            if parts.username:
                server.login(unquote(parts.username), unquote(parts.password or ""))
            server.send_message(message)
        return Answer(250)

    def _near(self, host: str) -> bool:
        try:
            address = ip_address(host)
        except ValueError:
            return False
        return any(
            address.version == each.version and address in each for each in self._settings.outbound_allow
        )
