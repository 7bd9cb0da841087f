// Third parties' own libraries at work: a JSON list of jobs on stdin, on stdout the list of what became
// of them. Each job names a library, which is the file of that name. "sign" gives the headers with
// which the third party would send; "verify" gives "ok", or what the library says against a request.
import { text } from "node:stream/consumers";

async function work(job) {
  const library = await import(`./${job.library}.mjs`);
  if (job.do === "sign") return { headers: await library.sign(job) };
  try {
    await library.verify(job);
    return { verdict: "ok" };
  } catch (err) {
    return { verdict: err.message };
  }
}

const jobs = JSON.parse(await text(process.stdin));
console.log(JSON.stringify(await Promise.all(jobs.map(work))));
