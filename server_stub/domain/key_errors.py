"""Refusals of the ways to sign in that need no password: passkeys, and an organisation's own sign-in."""

from __future__ import annotations

from server_stub.domain.errors import ServerError


class PasskeyRefusedError(ServerError):
    """A passkey's answer is not what was asked for, or its passkey is unknown here."""

    status = 403
    code = "TS-S-110"
    remedy = "Try again, or sign in with your password and add the passkey anew."
    zh = "通行密钥未能验证。请重试，或用密码登录后重新添加通行密钥。"


class SignInElsewhereError(ServerError):
    """What an organisation's sign-in answered cannot be believed, or belongs to nobody here."""

    status = 403
    code = "TS-S-111"
    remedy = "Begin again from this server's page. If your account is not linked yet, link it on your account's page."
    zh = "单位统一登录未能完成。请从本站登录页重新开始；如尚未关联，请先用密码登录，在“我的账号”中关联。"


class ProviderGoneError(ServerError):
    """The organisation's sign-in does not answer, or not as OpenID Connect says."""

    status = 503
    code = "TS-S-112"
    remedy = "Sign in with your password, or try again later."
    zh = "单位统一登录暂时不可用。请用密码登录，或稍后再试。"
