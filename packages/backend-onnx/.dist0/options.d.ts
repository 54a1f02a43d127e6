import type { ExecutionProvider, OrtModule, OrtSessionOptions } from './ort.js';
/** Settings of the ONNX Runtime target. */
export interface OnnxOptions {
    /** The ONNX Runtime module: `import * as ort from 'onnxruntime-node'` or `'onnxruntime-web'`. */
    readonly ort: OrtModule;
    /** Providers in order of preference, as ONNX Runtime names them. Default `['cpu']`. */
    readonly executionProviders?: readonly ExecutionProvider[];
    /** Threads per program run. Default: ONNX Runtime's own choice, one per physical core. Workers should pass 1. */
    readonly threads?: number;
    /**
     * Whether threads wait for the next operation by spinning. Default true: a ConvNet gradient has hundreds of joins and
     * sleeping at each costs more than the work. Pass false where other work needs the cores.
     */
    readonly spinning?: boolean;
    /**
     * ONNX Runtime's own graph optimisations. Default `'all'`; the lowering has done most of the work already, so `'basic'`
     * costs little speed where creation time matters more.
     */
    readonly graphOptimizationLevel?: 'disabled' | 'basic' | 'extended' | 'all';
    /** Prefix of a profile that ONNX Runtime writes per session, in Chrome's tracing format. Default: no profile. */
    readonly profile?: string;
}
/** Options after validation. */
export interface OnnxSettings {
    readonly ort: OrtModule;
    readonly provider: string;
    readonly threads: number | undefined;
    readonly spinning: boolean;
    readonly session: OrtSessionOptions;
}
/** Checks options and completes them with defaults. @throws ConfigError naming the option, its value and the remedy. */
export declare function resolveOptions(options: OnnxOptions): OnnxSettings;
//# sourceMappingURL=options.d.ts.map