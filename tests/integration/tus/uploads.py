"""One upload by hand, in a thread, that goes on whatever happens to the server."""
import hashlib
import http.client
import json
import random
import threading
import time

from media_world import MediaTest


class Upload(threading.Thread):
    """Goes on until it is whole; remembers the highest offset that it was ever told, and what it was refused with.

    Before its last part it waits for `may_end`, if there is one.
    """

    def __init__(self, test: MediaTest, seed: int, most: int = 2_500_000, may_end: threading.Event = None):
        super().__init__(daemon=True)
        self.test, self.may_end = test, may_end
        self.chance = random.Random(seed)
        self.data = self.chance.randbytes(self.chance.randint(most // 12, most))
        self.path = ""
        self.told, self.backwards, self.requests = 0, [], 0
        self.refused = []  # (status, code), in order

    def learn(self, offset: int) -> int:
        if offset < self.told:
            self.backwards.append((self.told, offset))
        self.told = max(self.told, offset)
        return offset

    def step(self) -> bool:
        if not self.path:
            self.path = self.test.create(len(self.data))
        status, headers, _ = self.test.ask("HEAD", self.path)
        if status != 200:
            raise OSError(f"HEAD {status}")
        at = self.learn(int(headers["upload-offset"]))
        while at < len(self.data):
            part = self.data[at:at + self.chance.randint(1, 300_000)]
            if self.may_end and at + len(part) == len(self.data):
                self.may_end.wait()
            self.requests += 1
            status, headers, text = self.test.patch(self.path, at, part)
            if status != 204:
                self.refused.append((status, json.loads(text)["code"]))
                raise OSError(f"PATCH {status}")
            at = self.learn(int(headers["upload-offset"]))
        return True

    def run(self):
        while True:
            try:
                if self.step():
                    return
            except (OSError, AssertionError, http.client.HTTPException):
                time.sleep(0.1)

    def judge(self):
        """Whole, as it was sent, and no offset was ever taken back."""
        self.join(240)
        self.test.assertFalse(self.is_alive(), self.refused[-3:])
        self.test.assertEqual(self.backwards, [])
        self.test.assertEqual(self.test.stored(self.path), hashlib.sha256(self.data).hexdigest())
