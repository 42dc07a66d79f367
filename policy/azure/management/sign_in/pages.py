"""The pages on which a person signs in: plain HTML, no cookie, no script but the one line that sends a form on."""

import secrets
from collections.abc import Mapping
from html import escape

from starlette.responses import HTMLResponse

_STYLE = (
    "body{font:16px/1.5 sans-serif;max-width:26rem;margin:4rem auto;padding:0 1rem}"
    "label,input,button{display:block;width:100%;box-sizing:border-box;font:inherit}"
    "input,button{padding:.5rem;margin:.25rem 0 1rem}.wrong{color:#a00}"
)


def sign_in_page(
    title: str, hidden: Mapping[str, str], wrong: str = "", status: int = 200, code: str | None = None
) -> HTMLResponse:
    """A form for a principal's name and secret, sent to where the page came from.

    Args:
        title: for what.
        hidden: fields that come back as they are.
        wrong: why the last try failed.
        status: of the response.
        code: what stands in the field for a device's code already; `None`: there is no such field.
    """
    kept = "".join(f'<input type="hidden" name="{escape(n)}" value="{escape(v)}">' for n, v in hidden.items())
    asked = "" if code is None else _field("user_code", "Code that the other program shows", code)
    said = f'<p class="wrong" role="alert">{escape(wrong)}</p>' if wrong else ""
    body = (
        f"<h1>{escape(title)}</h1>{said}<form method=post>{kept}{asked}"
        f"{_field('username', 'Name or id of a principal of this registry')}"
        f"{_field('password', 'One of its secrets', kind='password')}<button>Sign in</button></form>"
    )
    return _page(title, body, "'self'", status)


def told_page(title: str, text: str, status: int = 200) -> HTMLResponse:
    """One sentence."""
    return _page(title, f"<h1>{escape(title)}</h1><p>{escape(text)}</p>", "'none'", status)


def sent_on_page(address: str, fields: Mapping[str, str]) -> HTMLResponse:
    """A form that sends itself to the program that opened the browser (OAuth 2.0 Form Post Response Mode)."""
    kept = "".join(f'<input type="hidden" name="{escape(n)}" value="{escape(v)}">' for n, v in fields.items())
    nonce = secrets.token_urlsafe(16)
    body = (
        f'<h1>Signed in</h1><form method=post action="{escape(address)}">{kept}<button>Go on</button></form>'
        f'<script nonce="{nonce}">document.forms[0].submit()</script>'
    )
    target = "/".join(address.split("/")[:3])
    return _page("Signed in", body, target, 200, f"script-src 'nonce-{nonce}'; ")


def _field(name: str, label: str, value: str = "", kind: str = "text") -> str:
    return (
        f'<label for="{name}">{escape(label)}</label>'
        f'<input id="{name}" name="{name}" type="{kind}" value="{escape(value)}" required autocomplete="off">'
    )


def _page(title: str, body: str, form_action: str, status: int, script: str = "") -> HTMLResponse:
    head = f"<meta charset=utf-8><title>{escape(title)}</title><style>{_STYLE}</style>"
    sources = f"style-src 'unsafe-inline'; {script}form-action {form_action}"
    headers = {
        "Cache-Control": "no-store",
        "Content-Security-Policy": f"default-src 'none'; {sources}; frame-ancestors 'none'; base-uri 'none'",
        "Referrer-Policy": "no-referrer",
        "X-Frame-Options": "DENY",
    }
    return HTMLResponse(f"<!doctype html><html lang=en><head>{head}</head><body>{body}</body></html>", status, headers)
