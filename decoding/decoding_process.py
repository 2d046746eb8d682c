"""The program of a decoding process. An image that crashes it or hangs it harms no other process.

It reads requests from stdin and writes answers to stdout. A message is the length of its header and of its body (`>IQ`), the header
in JSON, and the body. A request's header holds the limits, `frames` if frames of an animation are wanted, and `full_depth` if 16 bits of
grey are to be kept; its body is the image file. An answer's header holds `height` and `width`, and for frames their `numbers` and
`milliseconds`; its body is the RGB pixels, or with `bits` 16 the grey ones, the lower byte first. Or its header holds `error`, the error's
`detail` and other arguments, and its body is empty.
"""

from __future__ import annotations

import importlib
import importlib.util
import json
import os
import resource
import signal
import struct
import sys
import warnings
from typing import BinaryIO

from PIL import Image, ImageFile

from decoding.decode_image import ImageRefused, decode, decode_frames, decode_full_depth

LENGTHS = struct.Struct(">IQ")
READY = b"R"


def _answer(out: BinaryIO, header: dict[str, object], *bodies: bytes) -> None:
    encoded = json.dumps(header).encode()
    out.write(LENGTHS.pack(len(encoded), sum(map(len, bodies))) + encoded)
    out.writelines(bodies)
    out.flush()


def serve(requests: BinaryIO, answers: BinaryIO) -> None:
    """Answer requests until stdin is closed."""
    while len(lengths := requests.read(LENGTHS.size)) == LENGTHS.size:
        header_length, content_length = LENGTHS.unpack(lengths)
        header = json.loads(requests.read(header_length))
        content = requests.read(content_length)
        # This limit ends a decoder that still computes after its parent has died.
        spent = sum(resource.getrusage(resource.RUSAGE_SELF)[:2])
        _set_limit(resource.RLIMIT_CPU, int(spent + header.pop("seconds")) + 2)
        found: dict[str, object] = {}
        try:
            if "frames" in header:
                pictures, found["numbers"], found["milliseconds"] = decode_frames(content, **header)
            elif header.pop("full_depth", False):
                pictures = [decode_full_depth(content, **header)]
                found["bits"] = 16 if pictures[0].mode == "I;16" else 8
            else:
                pictures = [decode(content, **header)]
            bodies = [picture.tobytes() for picture in pictures]
        except ImageRefused as refusal:
            _answer(answers, {"error": refusal.error, **refusal.arguments})
        except MemoryError:
            _answer(answers, {"error": "ImageTooLarge", "detail": "Decoding this image takes more memory than allowed."})
        else:
            _answer(answers, {"height": pictures[0].height, "width": pictures[0].width, **found}, *bodies)


def _drop_what_libraries_say() -> None:
    """Send stderr nowhere from now on. libtiff and others write about each damaged file, also with texts that the file holds."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stderr.fileno())
    os.close(nowhere)


def _register_heif() -> None:
    """Let Pillow open HEIF files, if the extra `heif` is installed. One thread decodes, within the limits of this process."""
    if importlib.util.find_spec("pillow_heif") is None:
        return
    pillow_heif = importlib.import_module("pillow_heif")
    pillow_heif.options.DECODE_THREADS = 1
    pillow_heif.register_heif_opener(thumbnails=False)


def _set_limit(kind: int, value: int) -> None:
    hard = resource.getrlimit(kind)[1]
    resource.setrlimit(kind, (value if hard == resource.RLIM_INFINITY else min(value, hard), hard))


def main() -> None:
    """Serve requests. The first command line argument is the number of bytes of address space that this process may use."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C makes the worker drain, and it still decodes then
    _set_limit(resource.RLIMIT_AS, int(sys.argv[1]))
    _set_limit(resource.RLIMIT_CORE, 0)
    _set_limit(resource.RLIMIT_FSIZE, 0)
    os.environ["OPENBLAS_NUM_THREADS"] = "1"  # NumPy is imported for some pictures, and each thread would reserve address space
    warnings.simplefilter("ignore")
    warnings.simplefilter("error", Image.DecompressionBombWarning)
    ImageFile.LOAD_TRUNCATED_IMAGES = False
    Image.init()
    _register_heif()
    _drop_what_libraries_say()
    sys.stdout.buffer.write(READY)
    sys.stdout.buffer.flush()
    serve(sys.stdin.buffer, sys.stdout.buffer)
