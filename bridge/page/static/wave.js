// Waveforms: the stroke just played over those before it, so that one sees that no two are alike.

export function fit(canvas) {
  const scale = window.devicePixelRatio || 1;
  const width = Math.round(canvas.clientWidth * scale);
  const height = Math.round(canvas.clientHeight * scale);
  if (canvas.width !== width || canvas.height !== height) {
    canvas.width = width;
    canvas.height = height;
  }
  return canvas.getContext("2d");
}

export function drawStrokes(canvas, strokes, { most = 12, fade = 0.72, least = 0.1, axis = false, seconds: span = 0, marks = [] } = {}) {
  const context = fit(canvas);
  const { width, height } = canvas;
  context.clearRect(0, 0, width, height);
  if (!strokes?.length || !width) return;
  const shown = strokes.slice(-most);
  const seconds = span || Math.max(...shown.map((stroke) => stroke.seconds));
  const loudest = Math.max(...shown.map((stroke) => stroke.peak), 1e-4);
  const colour = getComputedStyle(canvas).color;
  if (axis) drawAxis(context, width, height, seconds, getComputedStyle(canvas).getPropertyValue("--quiet"));
  context.strokeStyle = context.fillStyle = colour;
  context.lineWidth = window.devicePixelRatio || 1;
  const draw = (stroke) => outline(context, stroke, width, height, seconds, stroke.peak / loudest);
  // The newest as a body, those before as ghosts over it, and its own outline on top.
  draw(shown.at(-1));
  context.globalAlpha = 0.34;
  context.fill();
  shown.slice(0, -1).forEach((stroke, at) => {
    context.globalAlpha = Math.max(least, 0.6 * fade ** (shown.length - 2 - at));
    draw(stroke);
    context.stroke();
  });
  draw(shown.at(-1));
  context.globalAlpha = 1;
  context.stroke();
  context.globalAlpha = 0.8;
  for (const mark of marks) context.fillRect((mark / seconds) * width, 0, context.lineWidth, height * 0.12);
}

function outline(context, stroke, width, height, seconds, level) {
  const { ends } = stroke;
  const middle = height / 2;
  const step = (stroke.seconds / seconds) * (width / (ends.length / 2));
  const scale = (level * (middle - 2)) / 127;
  context.beginPath();
  for (let at = 0; at < ends.length; at += 2) context.lineTo((at / 2) * step, middle - ends[at + 1] * scale);
  for (let at = ends.length - 2; at >= 0; at -= 2) context.lineTo((at / 2) * step, middle - ends[at] * scale);
  context.closePath();
}

function drawAxis(context, width, height, seconds, colour) {
  const scale = window.devicePixelRatio || 1;
  const most = Math.min(8, width / (72 * scale));
  const step = [0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 60].find((each) => seconds / each <= most) ?? 120;
  context.strokeStyle = context.fillStyle = colour;
  context.lineWidth = scale;
  context.globalAlpha = 0.7;
  context.font = `${11 * scale}px system-ui, sans-serif`;
  context.beginPath();
  context.moveTo(0, height / 2);
  context.lineTo(width, height / 2);
  for (let time = step; time < seconds; time += step) {
    const x = (time / seconds) * width;
    context.moveTo(x, height);
    context.lineTo(x, height - 6 * scale);
    const text = time < 1 ? `${Math.round(time * 1000)} ms` : `${time.toFixed(1)} s`;
    if (x + 4 * scale + context.measureText(text).width < width) context.fillText(text, x + 4 * scale, height - 3 * scale);
  }
  context.stroke();
}
