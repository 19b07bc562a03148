"""Servers on this machine's own address, and ports of it that are held."""

import errno
import socket
from http.server import HTTPServer
from socketserver import TCPServer

HOST = "127.0.0.1"
TRIED = 20  # ports after the wanted one


class LoopbackServer(HTTPServer):
    """HTTPServer that asks no name server, which may take seconds: server_name is the address."""

    def server_bind(self) -> None:
        TCPServer.server_bind(self)
        self.server_name, self.server_port = HOST, self.server_address[1]


def held(wanted: int) -> socket.socket:
    """A socket that listens on the wanted port, or on the next free one; 0 means any. It holds the port until
    it is closed, and keeps early callers waiting instead of refusing them."""
    for port in (*range(wanted, wanted + TRIED), 0) if wanted else (0,):
        listener = socket.socket()
        # Else a port is held for a minute by the connections of a server that has ended.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((HOST, port))
            listener.listen()
        except OSError as error:
            listener.close()
            if error.errno not in {errno.EADDRINUSE, errno.EACCES} or not port:
                raise
        else:
            return listener
    raise AssertionError("port 0 is always free or refused with an error")
