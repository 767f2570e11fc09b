// The label sets of the data sets that detectors are trained on; the index is the class id, null stands for what is never reported.

/** COCO's 80 labels under their original ids 1..90, ten of which were never used; 0 is the background. */
export const COCO_LABELS: readonly (string | null)[] = toLabels(`
  -, person, bicycle, car, motorcycle, airplane, bus, train, truck, boat,
  traffic light, fire hydrant, -, stop sign, parking meter, bench, bird, cat, dog, horse,
  sheep, cow, elephant, bear, zebra, giraffe, -, backpack, umbrella, -,
  -, handbag, tie, suitcase, frisbee, skis, snowboard, sports ball, kite, baseball bat,
  baseball glove, skateboard, surfboard, tennis racket, bottle, -, wine glass, cup, fork, knife,
  spoon, bowl, banana, apple, sandwich, orange, broccoli, carrot, hot dog, pizza,
  donut, cake, chair, couch, potted plant, bed, -, dining table, -, -,
  toilet, -, tv, laptop, mouse, remote, keyboard, cell phone, microwave, oven,
  toaster, sink, refrigerator, -, book, clock, vase, scissors, teddy bear, hair drier,
  toothbrush`);

function toLabels(text: string): (string | null)[] {
  return text.split(",").map((label) => (label.trim() === "-" ? null : label.trim()));
}
