"""Container images: what they are made from, where they are kept, and making them once."""

from testbed.images.build import ensure
from testbed.images.recipe import Recipe, environment, own_recipes
from testbed.images.store import ImageStore

__all__ = ["ImageStore", "Recipe", "ensure", "environment", "own_recipes"]
