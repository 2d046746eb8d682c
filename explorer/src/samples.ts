// The sample photos. They are files of the page, so that a page that was just opened has something to show.
import cat from "../../samples/cat.jpg";
import both from "../../samples/cat_and_coffee.jpg";
import coffee from "../../samples/coffee.jpg";
import rocket from "../../samples/rocket.jpg";

export interface Sample {
  name: string;
  title: string;
  file: string;
}

const address = (path: string) => new URL(path, import.meta.url).href;

export const SAMPLES: Sample[] = [
  { name: "cat", title: "A tabby cat", file: address(cat) },
  { name: "cat_and_coffee", title: "A cat and coffee", file: address(both) },
  { name: "coffee", title: "A cup of espresso", file: address(coffee) },
  { name: "rocket", title: "A rocket before its start", file: address(rocket) },
];
