"""The way out to an address on the internet: a company's proxy, and its certificates, where the environment
names them. Loopback never goes by a proxy."""

import os
from functools import lru_cache
from urllib.parse import unquote
from urllib.request import getproxies, proxy_bypass

import urllib3
from urllib3.util import parse_url

LOOPBACK = {"127.0.0.1", "localhost", "[::1]"}
CERTIFICATES = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE")  # in this order, each a file of several
# What a process needs of its parent's environment for the same way out, in either spelling.
PROXIES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")
VARIABLES = (*CERTIFICATES, "SSL_CERT_DIR", *PROXIES, *(name.upper() for name in PROXIES))


def pool(url: str) -> urllib3.PoolManager:
    """Connections for this address, kept open from one request to the next. Raises urllib3's
    LocationValueError for a proxy whose address is neither http:// nor https://."""
    return _pool(proxy(url), next(filter(None, map(os.environ.get, CERTIFICATES)), None))


@lru_cache(maxsize=4)
def _pool(address: str | None, certificates: str | None) -> urllib3.PoolManager:
    if address is None:
        return urllib3.PoolManager(ca_certs=certificates)
    parts = parse_url(address if "://" in address else f"http://{address}")
    headers = urllib3.make_headers(proxy_basic_auth=unquote(parts.auth)) if parts.auth else None
    return urllib3.ProxyManager(parts._replace(auth=None).url, proxy_headers=headers, ca_certs=certificates)


def proxy(url: str) -> str | None:
    """The proxy for this address; None where it is asked directly."""
    parts = parse_url(url)
    host = parts.host or ""
    if host in LOOPBACK or proxy_bypass(host):
        return None
    proxies = getproxies()
    return proxies.get(parts.scheme or "") or proxies.get("all")
