"""Components of the fake cloud: they import Pulumi, its SDK and each other, as they can be ejected."""
