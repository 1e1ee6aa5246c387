"""Starts, watches and stops the real programs: what the integration tests and scripts/demo build their worlds with.

    processes   children that always end          build     where the programs are
    tap, mail   captured traffic, kept mails       broker    Mosquitto with our plugin
    gateway     nimes-gateway                      agent     nimes-agent
    world       all of them together

Debian's python3 and its standard library, and python3-aiosmtpd for the mail server, are all it needs.
"""
