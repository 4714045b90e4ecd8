"""What others wrote as XHTML, made fit to stand in a page of ours."""

from html.parser import HTMLParser

from hypothesis import given
from hypothesis import strategies as st

from service.fhir.narrative import harmless

HOSTILE = (
    "<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "<svg onload=alert(1)>", "<iframe src=//evil.example>",
    "<a href='javascript:alert(1)'>x</a>", "<a href=' java\nscript:alert(1)'>x</a>", "<a href='data:text/html,x'>x</a>",
    "<p style='background:url(//evil.example)'>x</p>", "<form action=//evil.example><input></form>",
    "<math><mtext><table><mglyph><style><img src=x onerror=alert(1)>", "<object data=x>", "<base href=//evil.example>",
    "<link rel=stylesheet href=//evil.example>", "<meta http-equiv=refresh content=0>", "<div id=content class=card>x</div>",
    "<!--[if IE]><script>alert(1)</script><![endif]-->", "<noscript><p title='</noscript><img src=x onerror=alert(1)>'>",
)  # fmt: skip


class _Seen(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[tuple[str, str | None]] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= set(attrs)


def inert(html: str) -> None:
    seen = _Seen(html)
    assert not seen.tags & {
        "script",
        "img",
        "svg",
        "iframe",
        "object",
        "form",
        "input",
        "style",
        "link",
        "meta",
        "base",
        "math",
    }
    for name, value in seen.attributes:
        assert name in ("lang", "dir", "title", "href", "rel", "colspan", "rowspan", "scope"), name
        assert name != "href" or not (value or "").strip().lower().startswith(
            ("javascript", "data", "vbscript")
        )


def test_nothing_that_acts_or_loads_is_left() -> None:
    for hostile in HOSTILE:
        inert(harmless(f'<div xmlns="http://www.w3.org/1999/xhtml"><p>before</p>{hostile}</div>'))


def test_formatting_tables_and_plain_links_stay() -> None:
    html = harmless(
        '<div dir="rtl"><h2>ليلى</h2><table><tr><td colspan="2">x</td></tr></table><a href="https://a.example">a</a></div>'
    )
    assert '<div dir="rtl"><h2>ليلى</h2>' in html and '<td colspan="2">' in html
    assert 'href="https://a.example"' in html and 'rel="noopener noreferrer nofollow"' in html


@given(
    st.lists(st.one_of(st.sampled_from(HOSTILE), st.text("<>/'\"= abonclick:&;#", max_size=12)), max_size=6)
)
def test_no_mixture_of_pieces_comes_alive(pieces: list[str]) -> None:
    inert(harmless("".join(pieces)))
