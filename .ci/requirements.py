"""Print the requirements named in setup.cfg, one a line: the input of the lock files."""

import configparser
import sys

config = configparser.ConfigParser()
config.read("setup.cfg")
lists = {
    "runtime": config["options"]["install_requires"],
    "dev": config["options.extras_require"]["dev"],
}
for name in sys.argv[1:]:
    sys.stdout.write(lists[name].strip() + "\n")
