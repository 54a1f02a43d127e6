import { defineConfig } from 'vitepress';

export default defineConfig({
  title: '@bpc',
  description: 'Bayesian pseudo-coresets in TypeScript',
  srcExclude: ['api/**', 'images/**'],
  cleanUrls: true,
  markdown: {
    math: true,
    config: (md) => {
      const { fence } = md.renderer.rules;
      md.renderer.rules.fence = (tokens, index, ...rest) => {
        const token = tokens[index];
        // Of `from=examples/05-…`, VitePress would take the number for a line to highlight.
        if (token !== undefined) token.info = token.info.replace(/ from=\S+/, '');
        return fence?.(tokens, index, ...rest) ?? '';
      };
    },
  },
  // The API reference is generated beside the site and may not be there.
  ignoreDeadLinks: [/\/api\//],
  themeConfig: {
    search: { provider: 'local' },
    sidebar: [
      {
        text: 'Guide',
        items: [
          { text: 'Getting started', link: '/guide/getting-started' },
          { text: 'Learning a coreset', link: '/guide/learn-a-coreset' },
          {
            text: 'Divergences',
            link: '/guide/divergences/',
            collapsed: true,
            items: [
              { text: 'Contrastive divergence', link: '/guide/divergences/contrastive-divergence' },
              { text: 'Forward KL', link: '/guide/divergences/forward-kl' },
              { text: 'Reverse KL', link: '/guide/divergences/reverse-kl' },
              { text: 'PSVI', link: '/guide/divergences/psvi' },
              { text: 'Wasserstein', link: '/guide/divergences/wasserstein' },
            ],
          },
          { text: 'Selecting real points', link: '/guide/selection' },
          { text: 'Sampling', link: '/guide/sampling' },
          { text: 'Honest evaluation', link: '/guide/honest-evaluation' },
          { text: 'Tables', link: '/guide/tables' },
          { text: 'The bpc command', link: '/guide/command-line' },
          { text: 'Runtimes', link: '/guide/runtimes' },
          { text: 'GPUs and other devices', link: '/guide/gpu' },
          { text: 'Data', link: '/guide/data' },
        ],
      },
      {
        text: 'Reference',
        items: [
          { text: 'Sharp bits', link: '/sharp-bits' },
          { text: 'Notation', link: '/notation' },
          { text: 'Architecture', link: '/architecture' },
          { text: 'Results', link: '/results/README' },
        ],
      },
      {
        text: 'Contributing',
        items: [
          { text: 'Write a divergence', link: '/contributing/new-divergence' },
          { text: 'Write a sampler', link: '/contributing/new-sampler' },
        ],
      },
    ],
  },
});
