"""What a Bazel test target runs: pytest on the folder given in its arguments, of which the sandbox holds this target's files alone."""

import sys

import pytest

if __name__ == "__main__":
    sys.exit(pytest.main(sys.argv[1:]))
