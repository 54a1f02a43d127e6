/** What `bpc bench divergences` can time: the divergences by their names in `bpc learn`, and two costlier negative phases. */
export const methodNames = ['bpc-cd', 'bpc-fkl', 'bpc-rkl', 'bpc-w', 'psvi', 'hmc', 'kfl'] as const;
export type MethodName = (typeof methodNames)[number];

/** Everything that decides an estimate; who does not use a number ignores it. */
export interface DivergenceSettings {
  /** k, steps of the inner chain or descent. */
  readonly innerSteps: number;
  /** K, draws that are averaged over. */
  readonly draws: number;
  /** |B|, real images; 0 if the method looks at none. */
  readonly realBatch: number;
  /** Leapfrog steps per transition of HMC. */
  readonly leapfrogSteps: number;
  /** N, which sums over real images are scaled to. */
  readonly dataCount: number;
  /** λ and T of the inner steps, σ of the draws around an expert or the end of the inner steps. */
  readonly stepSize: number;
  readonly temperature: number;
  readonly sigma: number;
  /** τ, prior precision of a Laplace posterior. */
  readonly precision: number;
}

/** How large the counts are: `reduced` takes a few seconds a step at most, `paper` is what the papers print. */
export type Counts = 'quick' | 'reduced' | 'paper';

type Count = Pick<DivergenceSettings, 'innerSteps' | 'draws' | 'realBatch' | 'leapfrogSteps'>;

interface Method {
  readonly title: string;
  /** Whether the estimate looks at the coreset through DSA, as the released code does. */
  readonly augmented: boolean;
  readonly counts: Readonly<Record<Counts, Partial<Count>>>;
  readonly settings: Pick<DivergenceSettings, 'stepSize' | 'temperature' | 'sigma'>;
  /** The counts in words. */
  describe(settings: DivergenceSettings): string;
}

// T: the noise of a Langevin step moves parameters about as far as its gradient does.
const langevin = { stepSize: 0.01, temperature: 1e-7, sigma: 1e-3 };
// Kim et al. 2022, for ten images per class.
const descent = { stepSize: 0.03, temperature: 0, sigma: 0.01 };

const drawn = ({ innerSteps, draws }: DivergenceSettings) => `k = ${innerSteps}, K = ${draws}`;
const compared = (settings: DivergenceSettings) => `${drawn(settings)}, |B| = ${settings.realBatch}`;
const stepped = ({ innerSteps }: DivergenceSettings) => `k = ${innerSteps}`;

/** The estimators, with the settings of their papers where a step then takes no more than seconds. */
export const methods: Readonly<Record<MethodName, Method>> = {
  'bpc-cd': {
    title: 'contrastive divergence',
    augmented: true,
    // The paper's table says 100, every released configuration 10.
    counts: { quick: { innerSteps: 2 }, reduced: { innerSteps: 10 }, paper: { innerSteps: 100 } },
    settings: langevin,
    describe: stepped,
  },
  'bpc-fkl': {
    title: 'forward KL',
    augmented: true,
    counts: { quick: { innerSteps: 2, draws: 2 }, reduced: { innerSteps: 10, draws: 5 }, paper: { innerSteps: 30, draws: 30 } },
    settings: descent,
    describe: drawn,
  },
  'bpc-rkl': {
    title: 'reverse KL',
    augmented: false,
    counts: {
      quick: { innerSteps: 2, draws: 3, realBatch: 10 },
      reduced: { innerSteps: 10, draws: 5, realBatch: 200 },
      paper: { innerSteps: 30, draws: 30, realBatch: 1000 },
    },
    settings: descent,
    describe: compared,
  },
  'bpc-w': {
    title: 'Wasserstein',
    augmented: true,
    // Memory grows with the steps: thirty of them are many gigabytes on either side.
    counts: { quick: { innerSteps: 2 }, reduced: { innerSteps: 5 }, paper: { innerSteps: 30 } },
    settings: descent,
    describe: stepped,
  },
  psvi: {
    title: 'PSVI',
    augmented: false,
    counts: {
      quick: { innerSteps: 2, draws: 3, realBatch: 10 },
      reduced: { innerSteps: 10, draws: 5, realBatch: 200 },
      paper: { innerSteps: 30, draws: 100, realBatch: 200 },
    },
    settings: descent,
    describe: compared,
  },
  hmc: {
    title: 'negative phase by HMC',
    augmented: true,
    counts: {
      quick: { innerSteps: 2, leapfrogSteps: 2 },
      reduced: { innerSteps: 5, leapfrogSteps: 5 },
      paper: { innerSteps: 20, leapfrogSteps: 20 },
    },
    settings: langevin,
    describe: ({ innerSteps, leapfrogSteps }) => `${innerSteps} transitions of ${leapfrogSteps} leapfrog steps`,
  },
  kfl: {
    title: 'negative phase by a Kronecker-factored Laplace posterior',
    augmented: true,
    counts: { quick: { innerSteps: 2, draws: 2 }, reduced: { innerSteps: 10, draws: 5 }, paper: { innerSteps: 30, draws: 30 } },
    settings: descent,
    describe: drawn,
  },
};

/** Training images of CIFAR-10. */
const dataCount = 50_000;
/** Draws of a Laplace posterior spread like those of Kim et al. where the coreset says nothing. */
const precision = 1e4;

/** The settings of a method with counts of one size. */
export function settingsOf(method: MethodName, counts: Counts): DivergenceSettings {
  const { counts: own, settings } = methods[method];
  return { innerSteps: 0, draws: 1, realBatch: 0, leapfrogSteps: 0, dataCount, precision, ...own[counts], ...settings };
}
