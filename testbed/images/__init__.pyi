from .build import ensure as ensure
from .recipe import Recipe as Recipe
from .recipe import environment as environment
from .recipe import own_recipes as own_recipes
from .store import ImageStore as ImageStore
