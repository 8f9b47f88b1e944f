"""Who is asking: tokens of signed-in users and of the worker, and the sessions of anonymous visitors.

A token is a JWT signed with the secret of this installation (HS256), with `sub` the user, `role` and `exp`.
"""

import hashlib
import time
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import jwt

from agent.dev.secrets import DevSecrets

ALGORITHM = "HS256"
USER_TOKEN_SECONDS = 30 * 24 * 3600
AGENT_TOKEN_SECONDS = 365 * 24 * 3600
MAX_USER = 64  # characters
MAX_SESSION = 128  # characters
MAX_TOKEN = 4096  # characters
AGENT_NAME = "agent"


class Kind(StrEnum):
    """How somebody showed who they are; the first two are the roles inside a token."""

    USER = "user"
    AGENT = "agent"
    VISITOR = "visitor"


@dataclass(frozen=True, slots=True)
class Principal:
    """Somebody who may ask. `id` is the user's name, or the session of a visitor."""

    kind: Kind
    id: str

    @property
    def key(self) -> str:
        """The name under which conversations are owned: a user and a visitor of the same name are two."""
        return f"{self.kind.value}:{self.id}"

    @property
    def identity(self) -> str:
        """A stable name for rooms that tells others nothing about the session."""
        return "user-" + hashlib.sha256(self.key.encode()).hexdigest()[:16]

    @property
    def display_name(self) -> str:
        """What others may see; a visitor's session is a credential, so it stays hidden."""
        return "Visitor" if self.kind is Kind.VISITOR else self.id


class Unauthorized(Exception):
    """The credentials are missing or bad; the message says which, never their value."""


def user_token(secrets: DevSecrets, user: str) -> str:
    """A token for a signed-in user; raises ValueError for a name that is none."""
    if not is_name(user, MAX_USER):
        raise ValueError(f"a user's name is 1 to {MAX_USER} printable characters")
    return _sign(secrets, Kind.USER, user, USER_TOKEN_SECONDS)


def agent_token(secrets: DevSecrets) -> str:
    """The worker's token: it may open every conversation."""
    return _sign(secrets, Kind.AGENT, AGENT_NAME, AGENT_TOKEN_SECONDS)


def is_name(text: str, longest: int) -> bool:
    """Whether a text can name somebody: printable, not blank, and not too long."""
    return 0 < len(text) <= longest and text.isprintable() and bool(text.strip())


def sent_in_header(headers: Mapping[str, str]) -> bool:
    """Whether the credentials came as `Authorization: JWT …`, which marks a client of the unpod dialect."""
    return headers.get("Authorization", "").partition(" ")[0].upper() == "JWT"


def authenticate(secrets: DevSecrets, headers: Mapping[str, str], query: Mapping[str, str]) -> Principal:
    """Who asks: by the Authorization header, else the query's `token`, else its `session_user`.

    Raises:
        Unauthorized: none of them is there, or the first of them that is there is bad.
    """
    if authorization := headers.get("Authorization", "").strip():
        scheme, _, token = authorization.partition(" ")
        if scheme.upper() not in ("JWT", "BEARER"):
            raise Unauthorized("the Authorization header must be JWT or Bearer with a token")
        return _verify(secrets, token.strip())
    if token := query.get("token", ""):
        return _verify(secrets, token)
    if session := query.get("session_user", ""):
        if not is_name(session, MAX_SESSION):
            raise Unauthorized(f"session_user must be 1 to {MAX_SESSION} printable characters")
        return Principal(Kind.VISITOR, session)
    raise Unauthorized("a token or a session_user is missing")


def _sign(secrets: DevSecrets, role: Kind, subject: str, seconds: int) -> str:
    now = int(time.time())
    claims = {"sub": subject, "role": role.value, "iat": now, "exp": now + seconds}
    return jwt.encode(claims, secrets.chat_jwt_secret, algorithm=ALGORITHM)


def _verify(secrets: DevSecrets, token: str) -> Principal:
    if len(token) > MAX_TOKEN:
        raise Unauthorized("the token is too long")
    try:
        claims: dict[str, Any] = jwt.decode(
            token,
            secrets.chat_jwt_secret,
            algorithms=[ALGORITHM],
            options={"require": ["sub", "exp"]},
            leeway=10,
        )
    except jwt.ExpiredSignatureError:
        raise Unauthorized("the token has expired: sign in again") from None
    except (jwt.PyJWTError, ValueError, RecursionError):
        raise Unauthorized("the token is not valid: sign in again") from None
    subject, role = claims["sub"], claims.get("role")
    if role not in (Kind.USER, Kind.AGENT) or not is_name(subject, MAX_USER):
        raise Unauthorized("the token is not valid: sign in again")
    return Principal(Kind(role), subject)
