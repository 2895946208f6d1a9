"""Registers what waits for the second examiner until it is killed; prints each number it was given.

python register_forever.py NUMBER NUMBER …: of contracts, in this order.
"""

import sys

from market.app import create_app
from market.contracts import examining
from market.core.permissions import SYSTEM

with create_app().app_context():
    for no in sys.argv[1:]:
        print(no, examining.register(SYSTEM, no), flush=True)
