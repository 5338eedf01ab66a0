"""`python -m mpsdoctor` is `mpsdoctor`."""

from mpsdoctor.cli.main import main

main()
