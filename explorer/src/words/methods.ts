// The families of methods as the page orders them. A method that is not named here is in the family "More".

export interface Family {
  name: string;
  question: string;
  methods: string[];
}

export const FAMILIES: Family[] = [
  {
    name: "Where",
    question: "Which regions of the photo speak for the class?",
    methods: ["grad_cam", "grad_cam_plus_plus", "hires_cam", "xgrad_cam", "layer_cam", "eigen_cam", "score_cam", "ablation_cam"],
  },
  {
    name: "Pixels",
    question: "Which single pixels does the score depend on?",
    methods: ["saliency", "smooth_grad", "integrated_gradients", "grad_x_input", "guided_backprop", "guided_grad_cam", "deconvnet"],
  },
  { name: "Cover it", question: "How does the score change when a part of the photo is hidden?", methods: ["occlusion", "rise"] },
  { name: "Compare", question: "Do several methods agree?", methods: ["compare"] },
  { name: "How true", question: "Does the model really use what a map shows?", methods: ["faithfulness"] },
];

export const MORE: Family = { name: "More", question: "What else can the service draw?", methods: [] };
