"""Edits listings one after the other until it is killed; prints each edit that was committed.

python edit_forever.py SEED [PART PARTS]: only every so manyth listing, so that several editors
do not meet.
"""

import itertools
import random
import sys

from sqlalchemy import select

from market.app import create_app
from market.catalogue import service
from market.catalogue.models import Listing
from market.core.db import db
from market.core.permissions import SYSTEM

choice = random.Random(int(sys.argv[1]))
part, parts = map(int, sys.argv[2:] or (0, 1))
with create_app().app_context():
    public = select(Listing.no).where(Listing.state == "published").order_by(Listing.id)
    numbers = list(db.session.scalars(public))[part::parts]
    for count in itertools.count():
        no = choice.choice(numbers)
        version = service.revise(SYSTEM, no, {"contact": f"修订 {sys.argv[1]}-{count}"})
        print(no, version, flush=True)
