import fc from 'fast-check';
import {scripts} from './script.js';
import {matchScript} from './match.js';
const n=Number(process.argv[2]??1000);
const t=performance.now();let ops=0;const hits=new Map<string,number>();
fc.assert(fc.property(scripts,s=>{ matchScript(s,()=>{ops++;},(h)=>{for(const[k,v]of h)hits.set(k,(hits.get(k)??0)+v);}); }),{numRuns:n,seed:1});
console.log(n,ops,(performance.now()-t)/1000,'s');console.log(hits);
