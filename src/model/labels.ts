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

/** COCO's 80 labels without gaps, 1..80, as Caffe's release numbers them. */
export const COCO_80_LABELS: readonly (string | null)[] = [null, ...COCO_LABELS.filter((label) => label !== null)];

/** PASCAL VOC's 20 labels. */
export const VOC_LABELS: readonly (string | null)[] = toLabels(`
  -, aeroplane, bicycle, bird, boat, bottle, bus, car, cat, chair,
  cow, diningtable, dog, horse, motorbike, person, pottedplant, sheep, sofa, train, tvmonitor`);

/** The 200 labels of ILSVRC's detection task, as Caffe's `labelmap_ilsvrc_det.prototxt` numbers them. */
export const ILSVRC_LABELS: readonly (string | null)[] = toLabels(`
  -, accordion, airplane, ant, antelope, apple, armadillo, artichoke, axe, baby bed,
  backpack, bagel, balance beam, banana, band aid, banjo, baseball, basketball, bathing cap, beaker,
  bear, bee, bell pepper, bench, bicycle, binder, bird, bookshelf, bow tie, bow,
  bowl, brassiere, burrito, bus, butterfly, camel, can opener, car, cart, cattle,
  cello, centipede, chain saw, chair, chime, cocktail shaker, coffee maker, computer keyboard, computer mouse, corkscrew,
  cream, croquet ball, crutch, cucumber, cup or mug, diaper, digital clock, dishwasher, dog, domestic cat,
  dragonfly, drum, dumbbell, electric fan, elephant, face powder, fig, filing cabinet, flower pot, flute,
  fox, french horn, frog, frying pan, giant panda, goldfish, golf ball, golfcart, guacamole, guitar,
  hair dryer, hair spray, hamburger, hammer, hamster, harmonica, harp, hat with a wide brim, head cabbage, helmet,
  hippopotamus, horizontal bar, horse, hotdog, iPod, isopod, jellyfish, koala bear, ladle, ladybug,
  lamp, laptop, lemon, lion, lipstick, lizard, lobster, maillot, maraca, microphone,
  microwave, milk can, miniskirt, monkey, motorcycle, mushroom, nail, neck brace, oboe, orange,
  otter, pencil box, pencil sharpener, perfume, person, piano, pineapple, ping-pong ball, pitcher, pizza,
  plastic bag, plate rack, pomegranate, popsicle, porcupine, power drill, pretzel, printer, puck, punching bag,
  purse, rabbit, racket, ray, red panda, refrigerator, remote control, rubber eraser, rugby ball, ruler,
  salt or pepper shaker, saxophone, scorpion, screwdriver, seal, sheep, ski, skunk, snail, snake,
  snowmobile, snowplow, soap dispenser, soccer ball, sofa, spatula, squirrel, starfish, stethoscope, stove,
  strainer, strawberry, stretcher, sunglasses, swimming trunks, swine, syringe, table, tape player, tennis ball,
  tick, tie, tiger, toaster, traffic light, train, trombone, trumpet, turtle, tv or monitor,
  unicycle, vacuum, violin, volleyball, waffle iron, washer, water bottle, watercraft, whale, wine bottle,
  zebra`);

function toLabels(text: string): (string | null)[] {
  return text.split(",").map((label) => (label.trim() === "-" ? null : label.trim()));
}

/** Those that are reported, each once, in the order of their ids. */
export function reportedLabels(labels: readonly (string | null)[]): string[] {
  return [...new Set(labels.filter((label) => label !== null))];
}
