"""A one-time link goes by e-mail to the agency it is for. The mail names who asks, no client and no service."""

from service.delivery.outcome import Answer
from service.fhir.outcome import Issue
from service.fhir.subscriptions.asked import MAILBOX
from service.flows.caller import Caller
from service.flows.context import Context
from service.flows.guests import Link, address, make_link
from service.kernel.failures import Refused, Unavailable
from service.remote.outside import Outside
from service.store import loops, partners

CONTACT = "contact"
"""Said instead of an address: to the contact that was agreed on with the partner."""
_TEXT = """{asker} asks you something, and waits for your answer.

Open this page: {link}

It opens once, until {until} UTC. What it shows is protected by law: please do not pass the link on.
If you did not expect this, ask {asker} by telephone.
"""


async def mail_link(
    context: Context, outside: Outside, caller: Caller, record: str, to: str
) -> tuple[Link, str]:
    """The link, and the address that a mail server of ours has taken it for. Earlier links end.

    Refused as `make_link` does, and unprocessable without a mail server, for what is not one address, and for an
    address that the mail server refuses. Unavailable when it cannot be reached: the link is then nobody's.
    """
    caller.require_casework("referrals", "update")
    if context.settings.smtp_url is None:
        raise Refused("unprocessable", "no mail server is set here; hand the link over yourself")
    mailbox = await _contact(context, caller, record) if to == CONTACT else to
    if not MAILBOX.match(mailbox):
        raise _at_mail(
            "the contact on record is no e-mail address"
            if to == CONTACT
            else "this is not one e-mail address"
        )
    link = await make_link(context, caller, record, mailbox)
    until = f"{link.expires:%d %B %Y, %H:%M}"
    text = _TEXT.format(asker=caller.name, link=address(context, link), until=until)
    result = await outside.post.write(mailbox, f"A message from {caller.name}", text)
    if not isinstance(result, Answer):
        raise Unavailable("the mail server cannot be reached; ask again, the link is not used")
    if result.status >= 300:
        raise _at_mail(f"the mail server refuses this address ({result.status})")
    return link, mailbox


async def _contact(context: Context, caller: Caller, record: str) -> str:
    async with context.database.reading() as connection:
        loop = await loops.find_record(connection, caller.client_id, record)
        return (await partners.find(connection, loop.partner)).terms.contact if loop else ""


def _at_mail(text: str) -> Refused:
    return Refused("unprocessable", text, [Issue("error", "value", text, "/mail")])
