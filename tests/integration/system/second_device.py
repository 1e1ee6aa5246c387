"""A further device of a person, for tests."""
from people import ROSTER


def add_second(test, first, name: str):
    """A further device of the person whose device `first` is; that one vouches for it."""
    person = next(who for who, agent in test.world.agents.items() if agent is first).split("-")[0]
    address = ROSTER[person][0]
    fresh = test.world.agent(name)
    waiting = test.world.enrol(fresh, address)
    test.assertEqual(waiting.status, 5, waiting.err)
    pending = first.run("devices", "pending").lines()
    test.assertEqual(len(pending), 1, pending)
    test.ok(first.run("devices", "vouch", pending[0]["device"]))
    done = test.ok(fresh.run("enrol", "--provisioning", test.world.provisioning, address))
    test.assertEqual(done["device"], pending[0]["device"])
    return fresh
