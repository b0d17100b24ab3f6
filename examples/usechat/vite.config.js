import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

// The page and the API have one origin, as on Vercel.
const proxy = { "/api": process.env.LLMOS_URL ?? "http://localhost:3000" };

export default defineConfig({
  plugins: [react()],
  server: { proxy },
  preview: { proxy },
});
