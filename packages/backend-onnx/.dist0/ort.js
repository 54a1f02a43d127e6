export {};
//# sourceMappingURL=ort.js.map