import type { Metric } from './metric.js';
import type { Workspace } from './workspace.js';

/** One step of the leapfrog integrator between two slots, in two halves: the gradient at the new position comes in between. */
export interface Leapfrog {
  /** Sets step size and metric for the steps to come. */
  configure(stepSize: number, metric: Metric): void;
  /** Prepares a slot whose momentum has just been drawn: its energy. */
  enter(slot: number): void;
  /** Kick by half a step and drift by one, from slot to slot; against time if `backward`. */
  leave(from: number, to: number, backward: boolean): void;
  /** The second half kick, with the gradient that is now in the slot, and its energy; +∞ where it is not a number. */
  arrive(slot: number, backward: boolean): void;
}

/**
 * The leapfrog integrator in whitened momenta: `r += h/2·Lᵀ∇/T`, `q += h·L r`, `r += h/2·Lᵀ∇/T`, with L Lᵀ = M⁻¹.
 *
 * Reversible and of second order; H = ½‖r‖² − log p(q)/T. Unit and diagonal metrics run through one loop without products of
 * matrices; a dense one needs Lᵀ∇, which is kept per slot.
 */
export function leapfrog(workspace: Workspace, temperature: number): Leapfrog {
  const { size } = workspace;
  // Kicks and drifts forward, then backward: no number but an offset depends on the direction.
  const coefficients = new Float64Array(4 * size);
  let dense: DenseSteps | undefined;
  return {
    configure(stepSize, metric) {
      dense = metric.kind === 'dense' ? denseSteps(workspace, metric.factor) : undefined;
      for (let i = 0; i < size; i++) {
        const drift = stepSize * (dense ? 1 : (metric.factor[i] as number));
        const kick = (0.5 * drift) / temperature;
        coefficients[i] = kick;
        coefficients[size + i] = drift;
        coefficients[2 * size + i] = -kick;
        coefficients[3 * size + i] = -drift;
      }
    },
    enter(slot) {
      dense?.whiten(slot);
      setEnergy(workspace, slot, temperature);
    },
    leave(from, to, backward) {
      if (dense) dense.leave(from, to, coefficients, backward);
      else leaveDiagonal(workspace, from, to, coefficients, backward);
    },
    arrive(slot, backward) {
      if (dense) {
        dense.arrive(slot, coefficients, backward);
        setEnergy(workspace, slot, temperature);
      } else {
        arriveDiagonal(workspace, slot, coefficients, backward, temperature);
      }
    },
  };
}

function setEnergy(workspace: Workspace, slot: number, temperature: number): void {
  const { size, values } = workspace;
  const momentum = (3 * slot + 1) * size;
  let twice = 0;
  for (let i = momentum; i < momentum + size; i++) twice += (values[i] as number) * (values[i] as number);
  storeEnergy(workspace, slot, twice, temperature);
}

/** Twice the kinetic energy is given. */
function storeEnergy({ logDensities, energies }: Workspace, slot: number, twice: number, temperature: number): void {
  const energy = 0.5 * twice - (logDensities[slot] as number) / temperature;
  // Not a number, or −∞ from a density of +∞: no state to go to.
  energies[slot] = energy > Number.NEGATIVE_INFINITY ? energy : Number.POSITIVE_INFINITY;
}

function leaveDiagonal({ size, values }: Workspace, from: number, to: number, coefficients: Float64Array, backward: boolean): void {
  const kicks = backward ? 2 * size : 0;
  const q = 3 * from * size;
  const next = 3 * to * size;
  for (let i = 0; i < size; i++) {
    const r = (values[q + size + i] as number) + (coefficients[kicks + i] as number) * (values[q + 2 * size + i] as number);
    values[next + size + i] = r;
    values[next + i] = (values[q + i] as number) + (coefficients[kicks + size + i] as number) * r;
  }
}

function arriveDiagonal(workspace: Workspace, slot: number, coefficients: Float64Array, backward: boolean, temperature: number): void {
  const { size, values } = workspace;
  const kicks = backward ? 2 * size : 0;
  const momentum = (3 * slot + 1) * size;
  let twice = 0;
  for (let i = 0; i < size; i++) {
    const r = (values[momentum + i] as number) + (coefficients[kicks + i] as number) * (values[momentum + size + i] as number);
    values[momentum + i] = r;
    twice += r * r;
  }
  storeEnergy(workspace, slot, twice, temperature);
}

interface DenseSteps {
  /** Computes Lᵀ∇ of a slot. */
  whiten(slot: number): void;
  leave(from: number, to: number, coefficients: Float64Array, backward: boolean): void;
  arrive(slot: number, coefficients: Float64Array, backward: boolean): void;
}

function denseSteps({ size, slots, values }: Workspace, factor: Float64Array): DenseSteps {
  const whitened = new Float64Array(slots * size);
  // Lᵀ by rows: both products with it are then sums over neighbouring numbers.
  const transposed = Float64Array.from(factor, (_, k) => factor[(k % size) * size + Math.floor(k / size)] as number);

  const whiten = (slot: number): void => {
    const out = slot * size;
    const gradient = (3 * slot + 2) * size;
    for (let i = 0; i < size; i++) {
      const row = i * size;
      let sum = 0;
      for (let j = i; j < size; j++) sum += (transposed[row + j] as number) * (values[gradient + j] as number);
      whitened[out + i] = sum;
    }
  };

  return {
    whiten,
    leave(from, to, coefficients, backward) {
      const kicks = backward ? 2 * size : 0;
      const q = 3 * from * size;
      const next = 3 * to * size;
      for (let i = 0; i < size; i++) {
        values[next + size + i] =
          (values[q + size + i] as number) + (coefficients[kicks + i] as number) * (whitened[from * size + i] as number);
      }
      for (let i = 0; i < size; i++) {
        const row = i * size;
        let velocity = 0;
        for (let j = 0; j <= i; j++) velocity += (factor[row + j] as number) * (values[next + size + j] as number);
        values[next + i] = (values[q + i] as number) + (coefficients[kicks + size + i] as number) * velocity;
      }
    },
    arrive(slot, coefficients, backward) {
      whiten(slot);
      const kicks = backward ? 2 * size : 0;
      const r = (3 * slot + 1) * size;
      for (let i = 0; i < size; i++) {
        values[r + i] = (values[r + i] as number) + (coefficients[kicks + i] as number) * (whitened[slot * size + i] as number);
      }
    },
  };
}
