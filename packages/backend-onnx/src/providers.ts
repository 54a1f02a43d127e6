import type { OrtAdapterInfo, OrtModule } from './ort.js';

/** What a provider needs besides the ONNX Runtime package, by the name ONNX Runtime gives it. */
const NATIVE_NEEDS: Readonly<Record<string, string>> = {
  cuda:
    'the npm package has no CUDA libraries: with an NVIDIA driver, CUDA 12 and cuDNN 9 installed (Linux x64), run ' +
    "'npm rebuild onnxruntime-node --ignore-scripts=false', which downloads libonnxruntime_providers_cuda.so; or pass ['webgpu'] or ['cpu']",
  tensorrt:
    'the npm package has no TensorRT libraries: with an NVIDIA driver, CUDA 12, cuDNN 9 and TensorRT installed (Linux x64), run ' +
    "'npm rebuild onnxruntime-node --ignore-scripts=false', which downloads libonnxruntime_providers_tensorrt.so; or pass ['webgpu'] or ['cpu']",
  webgpu:
    "on Linux install the Vulkan loader and your GPU's driver (Debian: libvulkan1 and mesa-vulkan-drivers, or NVIDIA's driver; " +
    "'vulkaninfo --summary' must list a device), or pass ['cpu']",
  dml: "DirectML needs Windows with DirectX 12, or pass ['cpu']",
  coreml: "CoreML needs macOS, or pass ['cpu']",
};

const WEB_NEEDS: Readonly<Record<string, string>> = {
  webgpu:
    "import 'onnxruntime-web' or 'onnxruntime-web/webgpu' in a browser with WebGPU (navigator.gpu.requestAdapter() must give an adapter), or pass ['wasm']",
  wasm: "serve onnxruntime-web's .wasm files beside the page, or set ort.env.wasm.wasmPaths; a Content-Security-Policy needs 'wasm-unsafe-eval'",
};

/** Whether a module is `onnxruntime-web`, whose providers, threads and outputs work differently. */
export const isWeb = (ort: OrtModule): boolean => ort.env.versions.web !== undefined && ort.env.versions.node === undefined;

/** What to install or do when a provider does not start. */
export function remedyFor(provider: string, ort: OrtModule): string {
  const web = isWeb(ort);
  return (web ? WEB_NEEDS : NATIVE_NEEDS)[provider] ?? `install what this provider needs, or pass ['${web ? 'wasm' : 'cpu'}']`;
}

/** Whether the npm package leaves this provider's libraries out. */
export function isUnbundled(provider: string, ort: OrtModule): boolean {
  return ort.listSupportedBackends?.().some(({ name, bundled }) => name === provider && bundled === false) ?? false;
}

/** The GPU that `onnxruntime-web` works on, as the browser tells it; `onnxruntime-node` does not tell. */
export function adapterName(ort: OrtModule): string | undefined {
  const adapter: { readonly info?: OrtAdapterInfo } | undefined = ort.env.webgpu?.adapter;
  const info = adapter?.info;
  if (info === undefined) return undefined;
  const words = [info.vendor, info.architecture, info.device, info.description].filter((word) => word !== undefined && word !== '');
  return words.length === 0 ? undefined : words.join(' ');
}
