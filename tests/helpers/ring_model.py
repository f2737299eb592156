"""The network of the studies, written anew in plain NumPy."""

import numpy as np

N = 16


class RingModel:
    """n neurons with raised-cosine tuning, baseline of contrast 0.8 at 0, stimulus of contrast 0.8 at π/2."""

    def __init__(self, alpha, beta, sigma=1 / 6, b=0.05, n=N):
        self.alpha, self.beta, self.sigma, self.n = alpha, beta, sigma, n
        power = np.log(0.5) / np.log(np.cos(np.pi / 6))
        self.r, r0 = (
            (0.8 * (0.1 + 0.9 * np.abs(np.cos(theta - np.pi * np.arange(n) / n)) ** power) + b) ** 2
            for theta in (np.pi / 2, 0.0)
        )
        self.R0 = r0 / (sigma**2 + r0.mean())
        self.start = np.full(n, self.r.mean())

    def response(self, y):
        return self.r / (self.sigma**2 + y)

    def move(self, y):
        R = self.response(y)
        pull = (self.alpha + self.beta) * self.R0 * (self.R0 @ self.r)
        return self.beta * y + (self.alpha * R * (R @ self.r) - pull) / self.n

    def run(self, steps, h=1.0):
        states = [self.start]
        for _ in range(steps):
            states.append(states[-1] + h * self.move(states[-1]))
        return np.array(states)

    def energy(self, y):
        R, r, n = self.response(y), self.r, self.n
        k = (self.alpha + self.beta) / n * self.R0 * (self.R0 @ r) + self.beta * self.sigma**2
        return self.alpha / (2 * n) * (r @ R) ** 2 - r * k @ np.log(R) - self.beta * (r**2 / R).sum()

    def rest(self):
        """By damped iteration: half steps and less, far below the flip."""
        y, h = self.start, 0.2 / max(1.0, self.alpha)
        for _ in range(60_000):
            step = h * self.move(y)
            y = y + step
            if np.abs(step).max() < 1e-16:
                break
        return y

    def rates(self, y):
        R = self.response(y)
        bracket = (R @ self.r) * np.diag(R**2 / self.r) + np.outer(R, R**2)
        return np.sort(np.linalg.eigvals(self.alpha / self.n * bracket).real) - self.beta
