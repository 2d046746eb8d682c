// The stages of the article "How convolutional neural networks see the cat", as presets of the method `sandbox`.
export interface ArticleStage {
  preset: string;
  title: string;
  words: string;
}

export const ARTICLE: ArticleStage[] = [
  { preset: "conv_3x3", title: "Three kernels of 3 × 3", words: "Three random kernels make three maps, which are shown as red, green and blue. The cat is still there." },
  { preset: "conv_10x10", title: "Three kernels of 10 × 10", words: "Larger kernels mix more pixels, so the picture becomes softer and the result has fewer pixels." },
  { preset: "conv_3x3_one_filter", title: "One kernel of 3 × 3", words: "One kernel makes one map. It has one number for each place, so it is grey." },
  { preset: "conv_15x15_one_filter", title: "One kernel of 15 × 15", words: "With a large kernel, one value depends on a large part of the photo." },
  { preset: "relu", title: "ReLU", words: "Negative values become zero. What the kernel does not look for turns black." },
  { preset: "max_pool_2x2", title: "Max pooling of 2 × 2", words: "Of four neighbours, the largest stays. The map has half as many rows and columns." },
  { preset: "max_pool_5x5", title: "Max pooling of 5 × 5", words: "Larger windows leave less: only that something was there, and roughly where." },
  { preset: "relu_max_pool_5x5", title: "ReLU and max pooling of 5 × 5", words: "Together they keep only strong answers of the kernel." },
  { preset: "lenet_1_1", title: "A small network, one kernel in each stage", words: "Convolution, ReLU and pooling, twice. What is left is what later layers get." },
  { preset: "lenet_3_1", title: "Three kernels, and then one", words: "The second stage reads all three maps of the first." },
  { preset: "lenet_3_3", title: "Three kernels in each stage", words: "This is how a network begins. A trained one has learned its kernels; these are random." },
];
