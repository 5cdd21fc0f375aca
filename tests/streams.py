"""A camera on this machine: MPEG-TS over HTTP, frame by frame as they are given."""

import contextlib
import http.server
import socketserver
import threading

import av
import numpy as np


class _File:
    """What PyAV writes goes to a socket."""

    def __init__(self, socket):
        self.write = socket.write


@contextlib.contextmanager
def serve(shots):
    """Serves a stream.

    Args:
      shots: A function that gives an iterator of frames, uint8 [H, W, 3], for each
        viewer; where it pauses, the camera does. After its last frame, the
        connection ends.

    Yields:
      The address.
    """

    class Camera(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.send_header("Content-Type", "video/mp2t")
            self.end_headers()
            with contextlib.suppress(OSError, av.FFmpegError):
                self._film()

        def _film(self):
            container = av.open(_File(self.wfile), "w", format="mpegts")
            stream = None
            for pixels in shots():
                if stream is None:
                    stream = container.add_stream("mpeg2video", rate=25)
                    stream.height, stream.width = pixels.shape[:2]
                    stream.pix_fmt, stream.bit_rate = "yuv420p", 4_000_000
                    stream.codec_context.gop_size = 5
                frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(pixels))
                container.mux(stream.encode(frame))
            if stream is not None:
                container.mux(stream.encode())
            container.close()

        def log_message(self, *_):
            pass

    class Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
        daemon_threads = True

    with Server(("127.0.0.1", 0), Camera) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/street.ts"
        finally:
            server.shutdown()
