"""``python -m synthvae.cli``."""

from synthvae.cli import main

if __name__ == "__main__":
    main()
