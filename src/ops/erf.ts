/** The error function in float64, which JavaScript lacks. */

/** erf(x), by its Taylor series near 0 and the continued fraction of erfc beyond (Abramowitz & Stegun 1964, 7.1.6 and 7.1.14). */
export function erfOf(x: number): number {
  const z = Math.abs(x)
  if (z > 6) return Math.sign(x)
  return Math.sign(x) * (z < 2.5 ? series(z) : 1 - tail(z))
}

function series(z: number): number {
  let term = z
  let sum = z
  for (let n = 1; Math.abs(term) > 1e-17 * sum; n++) {
    term *= (2 * z * z) / (2 * n + 1)
    sum += term
  }
  return z === 0 ? 0 : (2 / Math.sqrt(Math.PI)) * Math.exp(-z * z) * sum
}

function tail(z: number): number {
  let fraction = z
  for (let k = 60; k >= 1; k--) fraction = z + k / 2 / fraction
  return Math.exp(-z * z) / (Math.sqrt(Math.PI) * fraction)
}
