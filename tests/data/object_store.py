"""A bucket on localhost: what TFDS, gcsfs and array_record ask of gs://."""

import http.server
import json
import pathlib
import threading
from urllib.parse import parse_qsl, unquote, urlsplit


class ObjectStore(http.server.ThreadingHTTPServer):
  """Serves the folders of a folder as buckets, read-only.

  Source: the JSON API of Google Cloud Storage, of which it knows `objects.get`
  with and without `alt=media`, and `objects.list`.

  Attributes:
    reads: (object, range) of each read of content, in order.
    status: of every answer, if it is not the true one.
  """

  daemon_threads = True
  request_queue_size = 256  # connections come in bursts

  def __init__(self, root: pathlib.Path):
    super().__init__(('127.0.0.1', 0), _Handler)
    self.root = root
    self.url = f'http://127.0.0.1:{self.server_port}'
    self.reads: list[tuple[str, str | None]] = []
    self.status: int | None = None

  def __enter__(self):
    self._thread = threading.Thread(target=self.serve_forever)
    self._thread.start()
    return self

  def __exit__(self, *_):
    self.shutdown()
    self._thread.join()
    self.server_close()

  def handle_error(self, request, client_address):
    """Keeps quiet: array_record hangs up as soon as it has what it wants."""


class _Handler(http.server.BaseHTTPRequestHandler):
  protocol_version = 'HTTP/1.1'

  def log_message(self, *_):
    """Keeps quiet."""

  def do_GET(self):
    url = urlsplit(self.path)
    query = dict(parse_qsl(url.query))
    # .../storage/v1/b/BUCKET/o[/OBJECT]; gcsfs asks below /download for media.
    _, _, path = url.path.partition('/storage/v1/b/')
    bucket, _, rest = path.partition('/o')
    name = unquote(rest.removeprefix('/'))
    file = self.server.root / bucket / name
    if self.server.status or (name and not file.is_file()):
      status = self.server.status or 404
      self._json({'error': {'code': status, 'message': 'no'}}, status)
    elif not name:
      self._list(bucket, query)
    elif query.get('alt') == 'media':
      self._content(name, file.read_bytes())
    else:
      self._json(self._about(bucket, name))

  def _list(self, bucket, query):
    prefix, items, folders = query.get('prefix', ''), [], set()
    folder = self.server.root / bucket
    for file in sorted(folder.rglob('*')):
      name = file.relative_to(folder).as_posix()
      below, slash, _ = name.removeprefix(prefix).partition('/')
      if not file.is_file() or not name.startswith(prefix):
        continue
      if slash and 'delimiter' in query:
        folders.add(f'{prefix}{below}/')
      else:
        items.append(self._about(bucket, name))
    self._json({'items': items, 'prefixes': sorted(folders)})

  def _about(self, bucket, name):
    size = (self.server.root / bucket / name).stat().st_size
    return {
      **{'kind': 'storage#object', 'bucket': bucket, 'name': name},
      **{'generation': '1', 'metageneration': '1', 'size': str(size)},
      **{'updated': '2026-01-01T00:00:00Z', 'contentType': 'text/plain'},
    }

  def _content(self, name, content):
    asked = self.headers.get('Range')
    self.server.reads.append((name, asked))
    if asked is None:
      self._send(200, content)
      return
    first, _, last = asked.removeprefix('bytes=').partition('-')
    size = len(content)
    start = int(first) if first else max(0, size - int(last))
    stop = min(int(last) + 1, size) if first and last else size
    self._send(206, content[start:stop], f'bytes {start}-{stop - 1}/{size}')

  def _json(self, answer, status=200):
    self._send(status, json.dumps(answer).encode())

  def _send(self, status, content, content_range=None):
    self.send_response(status)
    self.send_header('Content-Length', str(len(content)))
    if content_range:
      self.send_header('Content-Range', content_range)
    self.end_headers()
    self.wfile.write(content)
